import assert from "node:assert/strict";
import { groups, range, SIZE, tcp, udp } from "../../samples/bulk_flows.ts";
import {
  ACK,
  checksumOffset,
  concat,
  counting,
  CWR,
  ECE,
  edited,
  FIN,
  ipPacket,
  layoutOf,
  PSH,
  RST,
  SYN,
  timestamps,
  URG,
  writeTransportChecksum,
} from "../../../lab/packets.ts";

/** Packets of one flow, why not all become one, and what becomes of them. */
const splits: readonly [string, readonly Uint8Array[], readonly number[]][] = [
  ["a gap", [tcp(0), tcp(1), tcp(3), tcp(4)], [2, 2]],
  ["a retransmission", [tcp(0), tcp(1), tcp(1), tcp(2)], [2, 2]],
  ["packets in the wrong order", [tcp(0), tcp(2), tcp(1)], [1, 1, 1]],
  ["PSH", [tcp(0), tcp(1, { flags: ACK | PSH }), tcp(2), tcp(3)], [2, 2]],
  ["PSH at first", [tcp(0, { flags: ACK | PSH }), tcp(1)], [1, 1]],
  ["a larger packet", [
    tcp(0),
    tcp(1, { payload: counting(SIZE + 1) }),
  ], [1, 1]],
  ["a smaller packet, which is the last one", [
    tcp(0),
    tcp(1, { payload: counting(SIZE - 1) }),
    tcp(2, { sequence: 5000 + 2 * SIZE - 1 }),
  ], [2, 1]],
  ["a larger datagram", [
    udp(0),
    udp(1, { payload: counting(SIZE + 1) }),
  ], [1, 1]],
  ["a smaller datagram, which is the last one", [
    udp(0),
    udp(1, { payload: counting(SIZE - 1) }),
    udp(2),
  ], [2, 1]],
  ["an empty datagram", [udp(0), udp(1, { payload: counting(0) })], [1, 1]],
  ["a segment without payload", [
    tcp(0),
    tcp(1),
    tcp(2, { payload: counting(0) }),
    tcp(2, { payload: counting(0) }),
    tcp(2),
  ], [2, 1, 1, 1]],
  ["another acknowledgement", [tcp(0), tcp(1, { acknowledgement: 2001 })], [
    1,
    1,
  ]],
  ["another window", [tcp(0), tcp(1, { window: 502 })], [1, 1]],
  ["another urgent pointer", [tcp(0), tcp(1, { urgent: 1 })], [1, 1]],
  ["another timestamp", [
    tcp(0, { options: timestamps(1) }),
    tcp(1, { options: timestamps(2) }),
    tcp(2, { options: timestamps(2) }),
  ], [1, 2]],
  ["other options", [tcp(0), tcp(1, { options: [1, 1, 1, 1] })], [1, 1]],
  ["another type of service", [tcp(0), tcp(1, {}, { tos: 4 })], [1, 1]],
  ["congestion experienced", [tcp(0, {}, { tos: 2 }), tcp(1, {}, { tos: 3 })], [
    1,
    1,
  ]],
  ["another time to live", [tcp(0), tcp(1, {}, { hopLimit: 63 })], [1, 1]],
  ["fragments allowed", [tcp(0), tcp(1, {}, { fragment: 0 })], [1, 1]],
  ["identification that jumps", [
    tcp(0, {}, { id: 1 }),
    tcp(1, {}, { id: 3 }),
    tcp(2, {}, { id: 4 }),
    tcp(3, {}, { id: 4 }),
  ], [1, 2, 1]],
  ["identification that stays, fragments allowed", [
    tcp(0, {}, { id: 1, fragment: 0 }),
    tcp(1, {}, { id: 1, fragment: 0 }),
  ], [1, 1]],
  ["IPv4 options", range(2, (n) => tcp(n, {}, { optionBytes: 4 })), [1, 1]],
  [
    "IPv6 extension headers",
    range(2, (n) => tcp(n, {}, { version: 6, optionBytes: 8 })),
    [1, 1],
  ],
  ["another IPv6 hop limit", [
    tcp(0, {}, { version: 6 }),
    tcp(1, {}, { version: 6, hopLimit: 63 }),
  ], [1, 1]],
  ["another flow label", [
    tcp(0, {}, { version: 6 }),
    tcp(1, {}, { version: 6, flowLabel: 1 }),
  ], [1, 1]],
  ["another IPv6 traffic class", [
    udp(0, {}, { version: 6 }),
    udp(1, {}, { version: 6, tos: 3 }),
  ], [1, 1]],
  ["a fragment", [
    udp(0),
    udp(1),
    ipPacket({ id: 102, fragment: 0x2000 }, 17, counting(SIZE)),
    ipPacket({ id: 102, fragment: 125 }, 17, counting(SIZE)),
    udp(3),
    udp(4, {}, { id: 104 }),
  ], [2, 1, 1, 2]],
  ["an IPv6 fragment", [
    udp(0, {}, { version: 6 }),
    ipPacket({ version: 6 }, 44, Uint8Array.of(17, 0, 0, 1, ...counting(40))),
    udp(1, {}, { version: 6 }),
  ], [1, 1, 1]],
  ["bytes behind the packet", [
    tcp(0),
    concat(tcp(1), new Uint8Array(2)),
    tcp(2),
  ], [1, 1, 1]],
  ["a reserved bit", range(2, (n) => tcp(n, {}, { fragment: 0xc000 })), [1, 1]],
];

for (const [name, packets, expected] of splits) {
  Deno.test(`order is kept and nothing else changed by ${name}`, () => {
    assert.deepEqual(groups(packets), expected);
  });
}

for (
  const [name, flag] of Object.entries({ FIN, SYN, RST, URG, ECE, CWR })
) {
  Deno.test(`${name} is not merged`, () => {
    const flagged = range(
      6,
      (n) => tcp(n, { flags: n === 2 || n === 3 ? ACK | flag : ACK }),
    );
    assert.deepEqual(groups(flagged), [2, 1, 1, 2]);
  });
}

Deno.test("segments without ACK or with a reserved bit are not merged", () => {
  assert.deepEqual(groups(range(2, (n) => tcp(n, { flags: PSH }))), [1, 1]);
  const reserved = range(2, (n) => {
    const packet = edited(tcp(n), 32, 0x51);
    writeTransportChecksum(packet);
    return packet;
  });
  assert.deepEqual(groups(reserved), [1, 1]);
});

Deno.test("another Ethernet address or VLAN is not merged", () => {
  const packets = range(2, (n) => tcp(n, {}, { link: "vlan" }));
  const [first = tcp(0), second = tcp(0)] = packets;
  const ethernet = true;
  assert.deepEqual(groups([first, second], { ethernet }), [2]);
  for (const at of [5, 11, 15]) {
    const other = edited(second, at, 9);
    assert.deepEqual(groups([first, other], { ethernet }), [1, 1]);
  }
  const untagged = tcp(1, {}, { link: "ethernet" });
  assert.deepEqual(groups([first, untagged], { ethernet }), [1, 1]);
});

for (const version of [4, 6] as const) {
  for (const [name, make] of Object.entries({ tcp, udp })) {
    Deno.test(`${name} over IPv${version}: a wrong checksum goes through`, () => {
      const packets = range(5, (n) => make(n, {}, { version }));
      const { transport, protocol } = layoutOf(packets[0] ?? tcp(0));
      for (const at of [transport + checksumOffset(protocol), -1]) {
        assert.deepEqual(groups(flipped(packets, 0, at)), [1, 4]);
        assert.deepEqual(groups(flipped(packets, 2, at)), [2, 1, 2]);
        assert.deepEqual(groups(flipped(packets, 4, at)), [4, 1]);
      }
    });
  }
}

/** The packets, one bit of the nth wrong; `at` may count from its end. */
function flipped(
  packets: readonly Uint8Array[],
  n: number,
  at: number,
): Uint8Array[] {
  return packets.map((packet, i) => {
    const place = at < 0 ? packet.length + at : at;
    return i === n ? edited(packet, place, (packet[place] ?? 0) ^ 1) : packet;
  });
}

Deno.test("a wrong IPv4 header checksum goes through", () => {
  const packets = range(5, (n) => tcp(n));
  assert.deepEqual(groups(flipped(packets, 2, 10)), [2, 1, 2]);
});

Deno.test("UDP without checksum is not merged", () => {
  const packets = range(3, (n) => edited(udp(n), 26, 0, 0));
  assert.deepEqual(groups(packets), [1, 1, 1]);
});
