// What a device hands out: super-packets, and what only looks like them.
import { strict as assert } from "node:assert";
import {
  counting,
  tcpPacket,
  timestamps,
  udpPacket,
} from "../../../lab/packets.ts";
import { superPacket, unfinished } from "../../../lab/super_packets.ts";
import { InnerPackets, ROOM, type Segmented } from "../inner_packets.ts";
import { isSame } from "../bytes.ts";
import { IN_PLACE } from "../../../src/offload/segment.ts";
import type { Target } from "../target.ts";

const VIRTIO_BYTES = 10;
const NEEDS_CSUM = 1;

/** An input is whether the device is tap, a virtio header and a packet. */
export default function open(): Target {
  const tun = new InnerPackets(false);
  const tap = new InnerPackets(true);
  const payload = counting(50);
  const options = timestamps(3);
  const frame = { link: "vlan" } as const;
  return {
    seeds: [
      [0, ...superPacket(tcpPacket({}, { payload, options }), 20)],
      [0, ...superPacket(tcpPacket({ version: 6 }, { payload }), 7)],
      [0, ...superPacket(udpPacket({ fragment: 0 }, { payload }), 20)],
      [
        0,
        ...superPacket(
          udpPacket({ version: 6, optionBytes: 8 }, { payload }),
          9,
        ),
      ],
      [1, ...superPacket(tcpPacket(frame, { payload, flags: 0x99 }), 20)],
      [0, ...unfinished(tcpPacket({}, { payload }))],
      [1, ...unfinished(udpPacket({ link: "ethernet" }, { payload }))],
      [0, ...new Uint8Array(VIRTIO_BYTES), ...udpPacket({}, { payload })],
    ].map((bytes) => Uint8Array.from(bytes)),
    maxBytes: 300,
    run(input) {
      const inner = (input[0] ?? 0) & 1 ? tap : tun;
      const read = input.slice(1);
      const segmented = inner.segment(read);
      assertSound(segmented, read);
      if (segmented.answer > 0) assertComesBack(inner, read, segmented.packets);
    },
  };
}

function assertSound({ answer, packets }: Segmented, read: Uint8Array): void {
  if (answer < 0) assert.equal(packets.length, 0);
  else if (answer !== IN_PLACE) assert.equal(packets.length, answer);
  for (const packet of packets) {
    assert.ok(packet.length > 0);
    assert.ok(answer === IN_PLACE || packet.length <= ROOM);
    assert.ok(packet.length <= read.length - VIRTIO_BYTES);
  }
}

/** Payloads, checksums, and what the way in makes of the segments. */
function assertComesBack(
  inner: InnerPackets,
  read: Uint8Array,
  packets: readonly Uint8Array[],
): void {
  const [first = new Uint8Array()] = packets;
  inner.read(first);
  const { bare, payload: payloadAt, packet: at } = inner.headers;
  const size = payloadAt - at;
  const payload = packets.flatMap((packet) => [...packet.subarray(size)]);
  const rest = read.subarray(VIRTIO_BYTES + size);
  assert.ok(isSame(Uint8Array.from(payload), rest));
  // A sum that the kernel has begun may be of anything.
  if (((read[0] ?? 0) & NEEDS_CSUM) === 0 && bare) {
    for (const packet of packets) assert.ok(inner.isIntact(packet));
  }
  if (!packets.every((packet) => inner.isIntact(packet))) return;
  const again = inner.coalesce(packets).flatMap((write) =>
    write[1] === 0 ? [write.slice(VIRTIO_BYTES)] : inner.segment(write).packets
  );
  assert.equal(again.length, packets.length);
  for (const [i, packet] of packets.entries()) {
    assert.ok(isSame(packet, again[i]), `packet ${i} does not come back`);
  }
}
