// Inner packets on the way in: what is coalesced is, segmented again, what it
// was, and each flow keeps its order.
import { strict as assert } from "node:assert";
import {
  counting,
  tcpPacket,
  timestamps,
  udpPacket,
} from "../../../lab/packets.ts";
import { OTHER, TCP, UNCLEAR } from "../../../src/offload/headers.ts";
import { toHex } from "../../vectors/vectors.ts";
import { ByteReader, isSame } from "../bytes.ts";
import { InnerPackets } from "../inner_packets.ts";
import type { Target } from "../target.ts";

const MAX_PACKETS = 80;

/** Of a byte: how a packet comes to be. */
const NEXT = 1;
const MENDED = 2;
const SPOILT = 4;
const OTHER_FLOW = 8;
const LONG = 16;
/** Of the first packet: all of them come in Ethernet frames. */
const FRAMES = 32;
const VLAN = 64;

const ETHERNET_BYTES = 14;
const VLAN_BYTES = 4;

const DONT_FRAGMENT = 0x4000;

/**
 * An input is a list of packets: each is given as it is, or is the one that
 * follows on the one before, with a byte that is another.
 */
export default function open(): Target {
  const tun = new InnerPackets(false);
  const tap = new InnerPackets(true);
  const payload = counting(8);
  const given = (packet: Uint8Array, flags = 0) => [
    ...[flags | MENDED, packet.length, ...packet],
  ];
  const next = [NEXT | MENDED, 0, 0];
  const options = timestamps(3);
  const run = (packet: Uint8Array, ...others: number[][]) =>
    Uint8Array.from([given(packet), ...others].flat());
  return {
    seeds: [
      run(tcpPacket({}, { payload }), next, next, next),
      run(tcpPacket({ version: 6 }, { payload, options }), next, next),
      run(udpPacket({}, { payload }), next, next, next),
      run(udpPacket({ version: 6, fragment: 0 }, { payload }), next, next),
      run(tcpPacket({ fragment: 0 }, { payload, flags: 0x18 }), next, next),
      run(tcpPacket({ optionBytes: 8 }, { payload }), next),
      run(
        tcpPacket({}, { payload }),
        [NEXT | MENDED | SPOILT, 33, 0, 0x18],
        next,
      ),
      run(tcpPacket({}, { payload }), [NEXT | MENDED | OTHER_FLOW, 0, 0], next),
      run(udpPacket({}, { payload }), [LONG | MENDED, 60, 0x45], next),
      ...[FRAMES, FRAMES | VLAN].map((flags) =>
        Uint8Array.of(...given(tcpPacket({}, { payload }), flags), ...next)
      ),
    ],
    maxBytes: 300,
    run(input) {
      const inner = (input[0] ?? 0) & FRAMES ? tap : tun;
      const packets = packetsOf(new ByteReader(input), inner, inner === tap);
      const written = inner.coalesce(packets);
      const out = written.flatMap((write) => segmentsOf(inner, write));
      assertSameFlows(inner, packets, out);
    },
  };
}

function packetsOf(
  bytes: ByteReader,
  inner: InnerPackets,
  isTap: boolean,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let before: Uint8Array | undefined;
  while (!bytes.isAtEnd && packets.length < MAX_PACKETS) {
    const flags = bytes.byte();
    const first = bytes.byte();
    const isNext = flags & NEXT && before !== undefined;
    const given = isNext
      ? before ?? new Uint8Array()
      : padded(bytes.take(first), flags & LONG ? 1000 : 0);
    const packet = isTap && !isNext
      ? framed(given, (flags & VLAN) !== 0)
      : given.slice();
    if (packet.length === 0) continue;
    const link = isTap ? linkBytes(packet) : 0;
    if (isNext) follow(packet.subarray(link), flags, bytes.byte());
    if (isNext && flags & SPOILT && first < packet.length) {
      packet[first] = bytes.byte();
    }
    if (flags & MENDED) inner.mend(packet, link);
    before = packet;
    packets.push(packet);
  }
  return packets;
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const all = new Uint8Array(Math.max(bytes.length, size));
  all.set(bytes);
  return all;
}

function framed(packet: Uint8Array, isVlan: boolean): Uint8Array {
  const type = (packet[0] ?? 0) >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00];
  const tag = isVlan ? [0x81, 0x00, 0x00, 0x05] : [];
  const hosts = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
  return Uint8Array.of(...hosts, ...tag, ...type, ...packet);
}

function linkBytes(frame: Uint8Array): number {
  return ETHERNET_BYTES + (frame[12] === 0x81 ? VLAN_BYTES : 0);
}

/** Makes it what a sender sends next in its flow, or in another one. */
function follow(packet: Uint8Array, flags: number, host: number): void {
  const { buffer, byteOffset, byteLength } = packet;
  const view = new DataView(buffer, byteOffset, byteLength);
  const isV6 = (packet[0] ?? 0) >> 4 === 6;
  const transport = isV6 ? 40 : ((packet[0] ?? 0) & 15) * 4;
  const protocol = packet[isV6 ? 6 : 9];
  if (!isV6 && packet.length >= 20) {
    view.setUint16(4, view.getUint16(4) + 1);
  }
  if (protocol === TCP && packet.length >= transport + 20) {
    const header = (view.getUint8(transport + 12) >> 4) * 4;
    const size = Math.max(0, packet.length - transport - header);
    view.setUint32(transport + 4, view.getUint32(transport + 4) + size);
  }
  if (flags & OTHER_FLOW && packet.length >= 20) view.setUint8(15, host);
}

/** The packets that one write to the device means. */
function segmentsOf(inner: InnerPackets, write: Uint8Array): Uint8Array[] {
  if (write[1] === 0) {
    assert.ok(write.subarray(0, 10).every((byte) => byte === 0));
    return [write.slice(10)];
  }
  const { answer, packets } = inner.segment(write);
  assert.ok(answer > 1, `a super-packet of ${answer} packets`);
  // The kernel looks at none of them again.
  for (const packet of packets) assert.ok(inner.isIntact(packet));
  return [...packets];
}

function assertSameFlows(
  inner: InnerPackets,
  packets: readonly Uint8Array[],
  out: readonly Uint8Array[],
): void {
  assert.equal(out.length, packets.length);
  const before = packets.map((packet) => sightOf(inner, packet));
  const after = out.map((packet) => sightOf(inner, packet));
  for (const flow of new Set(before.map(({ flow }) => flow))) {
    const hosts = before.find((one) => one.flow === flow)?.hosts;
    // What is unclear may belong to any flow between its hosts.
    const belongs = (one: Sight) =>
      one.flow === flow || one.isUnclear && one.hosts === hosts;
    const is = after.filter(belongs);
    for (const [i, { packet }] of before.filter(belongs).entries()) {
      if (isSame(packet, is[i]?.packet)) continue;
      const text = `packet ${i} of its flow has changed`;
      assert.equal(
        toHex(is[i]?.packet ?? new Uint8Array()),
        toHex(packet),
        text,
      );
    }
  }
}

interface Sight {
  readonly packet: Uint8Array;
  readonly hosts: string;
  readonly flow: string;
  readonly isUnclear: boolean;
}

/** What can be told of a packet, and it without what has no meaning. */
function sightOf(inner: InnerPackets, packet: Uint8Array): Sight {
  const protocol = inner.read(packet);
  const { network, transport, v6, packet: at } = inner.headers;
  const from = network - at + (v6 ? 8 : 12);
  const isOther = protocol === OTHER;
  const hosts = isOther
    ? "others"
    : textOf(packet.subarray(from, from + (v6 ? 32 : 8)));
  const isUnclear = protocol === UNCLEAR;
  const ports = isOther || isUnclear
    ? ""
    : textOf(packet.subarray(transport - at, transport - at + 4));
  const flow = `${hosts} ${protocol} ${ports}`;
  const isV4 = !isOther && !v6;
  const compared = isV4 ? withoutId(packet, network - at) : packet;
  return { packet: compared, hosts, flow, isUnclear };
}

/** A character for each byte: a key. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** RFC 6864 section 4.1. Its part in the checksum goes with it. */
function withoutId(packet: Uint8Array, network: number): Uint8Array {
  const copy = packet.slice();
  const view = new DataView(copy.buffer, network);
  if (view.getUint16(6) !== DONT_FRAGMENT) return packet;
  const sum = view.getUint16(10) + view.getUint16(4);
  view.setUint16(10, (sum & 0xffff) + (sum >>> 16));
  view.setUint16(4, 0);
  return copy;
}
