import assert from "node:assert/strict";
import { OTHER, PacketHeaders, UNCLEAR } from "../../src/offload/headers.ts";
import {
  counting,
  type IpFields,
  ipPacket,
  layoutOf,
  TCP,
  tcpPacket,
  timestamps,
  UDP,
  udpPacket,
} from "../support/packets.ts";
import { TestMemory } from "../support/packet_memory.ts";

const AT = 1000;

/** Finds the headers of a packet, or of its beginning, among other bytes. */
function read(
  packet: Uint8Array,
  ethernet: boolean,
  size = packet.length,
  around = 0,
) {
  const test = new TestMemory(65536, around);
  test.put(AT, packet);
  const headers = new PacketHeaders(test.memory, ethernet);
  return { answer: headers.read(AT, size), headers };
}

const payload = counting(30);

/** All kinds of packets of a version behind a link header. */
function kinds(ip: IpFields): Uint8Array[] {
  return [
    tcpPacket(ip, { payload }),
    tcpPacket(ip, { options: timestamps(1) }),
    tcpPacket({ ...ip, optionBytes: 16 }, { payload }),
    udpPacket(ip, { payload }),
    udpPacket({ ...ip, optionBytes: 8 }, {}),
  ];
}

for (const version of [4, 6] as const) {
  for (const link of ["none", "ethernet", "vlan"] as const) {
    const ethernet = link !== "none";
    const name = `IPv${version}, link header: ${link}`;

    Deno.test(`read() finds the headers of ${name}`, () => {
      for (const packet of kinds({ version, link })) {
        const { answer, headers } = read(packet, ethernet);
        const layout = layoutOf(packet);
        const ipSize = layout.transport - layout.network;
        assert.equal(answer, layout.protocol);
        assert.equal(headers.packet, AT);
        assert.equal(headers.end, AT + packet.length);
        assert.equal(headers.network, AT + layout.network);
        assert.equal(headers.transport, AT + layout.transport);
        assert.equal(headers.payload, AT + layout.payload);
        assert.equal(headers.v6, version === 6);
        assert.equal(headers.bare, ipSize === (version === 6 ? 40 : 20));
      }
    });

    Deno.test(`read() sees nothing behind a packet of ${name}`, () => {
      for (const packet of kinds({ version, link })) {
        for (let size = 0; size < packet.length; size++) {
          const { answer } = read(packet.slice(0, size), ethernet);
          assert.ok(answer === OTHER || answer === UNCLEAR);
          assert.equal(read(packet, ethernet, size).answer, answer);
          const cut = packet.slice(0, size);
          assert.equal(read(cut, ethernet, size, 0xff).answer, answer);
        }
      }
    });

    Deno.test(`read() leaves other protocols alone: ${name}`, () => {
      for (const protocol of [1, 50, 58, 132]) {
        const packet = ipPacket({ version, link }, protocol, payload);
        assert.equal(read(packet, ethernet).answer, OTHER);
      }
    });
  }
}

Deno.test("read() takes an Ethernet type for what it says", () => {
  for (const version of [4, 6] as const) {
    const frame = tcpPacket({ version, link: "ethernet" }, {});
    for (const type of [0x0800, 0x86dd, 0x0806, 0x88a8, 0x8100]) {
      frame.set([type >> 8, type & 255], 12);
      const right = type === (version === 6 ? 0x86dd : 0x0800);
      assert.equal(read(frame, true).answer, right ? TCP : OTHER);
    }
  }
});

Deno.test("read() finds an IPv4 header that is too short unclear", () => {
  const packet = tcpPacket({}, { payload });
  packet[0] = 0x44;
  assert.equal(read(packet, false).answer, UNCLEAR);
});

Deno.test("read() walks through hop-by-hop and routing headers", () => {
  for (const next of [0, 43, 60]) {
    const packet = udpPacket({ version: 6, optionBytes: 8 }, { payload });
    packet[6] = next;
    assert.equal(read(packet, false).answer, UDP);
  }
});
