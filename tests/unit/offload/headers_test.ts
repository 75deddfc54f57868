import assert from "node:assert/strict";
import { OTHER, PacketHeaders, UNCLEAR } from "../../../src/offload/headers.ts";
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
} from "../../../lab/packets.ts";
import { TestMemory } from "../../fakes/packet_memory.ts";

const MEMORY_SIZE = 65536;

/**
 * Finds the headers of a packet that ends where the memory does: to look behind
 * it throws.
 */
function read(packet: Uint8Array, ethernet: boolean) {
  const test = new TestMemory(MEMORY_SIZE);
  const at = MEMORY_SIZE - packet.length;
  test.put(at, packet);
  const headers = new PacketHeaders(test.memory, ethernet);
  return { answer: headers.read(at, packet.length), at, headers };
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

/** Makes IP's length agree with the size of a packet that has been cut. */
function setIpLength(
  packet: Uint8Array,
  network: number,
  version: 4 | 6,
): void {
  const length = packet.length - network - (version === 6 ? 40 : 0);
  const at = network + (version === 6 ? 4 : 2);
  packet.set([length >> 8, length & 255], at);
}

for (const version of [4, 6] as const) {
  for (const link of ["none", "ethernet", "vlan"] as const) {
    const ethernet = link !== "none";
    const name = `IPv${version}, link header: ${link}`;

    Deno.test(`read() finds the headers of ${name}`, () => {
      for (const packet of kinds({ version, link })) {
        const { answer, at, headers } = read(packet, ethernet);
        const layout = layoutOf(packet);
        const ipSize = layout.transport - layout.network;
        assert.equal(answer, layout.protocol);
        assert.equal(headers.packet, at);
        assert.equal(headers.end, at + packet.length);
        assert.equal(headers.network, at + layout.network);
        assert.equal(headers.transport, at + layout.transport);
        assert.equal(headers.payload, at + layout.payload);
        assert.equal(headers.v6, version === 6);
        assert.equal(headers.bare, ipSize === (version === 6 ? 40 : 20));
      }
    });

    Deno.test(`read() sees nothing behind a packet of ${name}`, () => {
      for (const packet of kinds({ version, link })) {
        const { network, transport, payload, protocol } = layoutOf(packet);
        const addressesEnd = network + (version === 6 ? 40 : 20);
        for (let size = 0; size < packet.length; size++) {
          const cut = packet.slice(0, size);
          const unknown = size < addressesEnd ? OTHER : UNCLEAR;
          assert.equal(read(cut, ethernet).answer, unknown);
          if (size < transport) continue;
          setIpLength(cut, network, version);
          const whole = protocol === TCP && size >= payload;
          assert.equal(read(cut, ethernet).answer, whole ? TCP : UNCLEAR);
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
  // Read from 16 bytes on, its port would be the right length of UDP.
  const packet = udpPacket({}, { port: 42, payload });
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
