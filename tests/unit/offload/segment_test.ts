import assert from "node:assert/strict";
import {
  IN_PLACE,
  MALFORMED,
  Segmenter,
  TOO_LONG,
} from "../../../src/offload/segment.ts";
import {
  ACK,
  counting,
  CWR,
  edited,
  FIN,
  type IpFields,
  ipPacket,
  layoutOf,
  PSH,
  type TcpFields,
  tcpPacket,
  timestamps,
  udpPacket,
  URG,
} from "../../../lab/packets.ts";
import { hex, TestMemory } from "../../fakes/packet_memory.ts";
import {
  plain,
  segmentsOf,
  superPacket,
  unfinished,
} from "../../../lab/super_packets.ts";

const READ = 100;
const SLOTS = READ + 65600;
const GAP = 20;
const ROOM = 1500;
const SLOT_COUNT = 64;

/** A segmenter over a memory of its own. */
function setUp(ethernet = false) {
  const test = new TestMemory(4 * 65536);
  return { test, segmenter: new Segmenter(test.memory, ethernet, ROOM) };
}

/** What a segmenter answers and makes of what was read from a device. */
function segment(read: Uint8Array, ethernet = false) {
  const { test, segmenter } = setUp(ethernet);
  test.put(READ, read);
  const answer = segmenter.begin(READ, read.length);
  if (answer === IN_PLACE) {
    return { answer, packets: [test.get(READ + 10, read.length - 10)] };
  }
  const packets: Uint8Array[] = [];
  const sizes = new Uint32Array(SLOT_COUNT);
  for (;;) {
    const count = segmenter.next(SLOTS, GAP, sizes, 0, SLOT_COUNT);
    if (count === 0) break;
    let at = SLOTS;
    for (const size of sizes.subarray(0, count)) {
      packets.push(test.get(at, size));
      at += size + GAP;
    }
  }
  test.assertUntouchedOutside(
    [READ, read.length],
    [SLOTS, SLOT_COUNT * (ROOM + GAP)],
  );
  return { answer, packets };
}

function assertAsReference(read: Uint8Array, ethernet = false): void {
  const { answer, packets } = segment(read, ethernet);
  const expected = segmentsOf(read);
  assert.equal(answer, expected.length);
  assert.deepEqual(packets.map(hex), expected.map(hex));
}

/** A super-packet of TCP over IPv4 with 10 segments. */
function tenSegments(ip: IpFields = {}, tcp: TcpFields = {}): Uint8Array {
  const packet = tcpPacket(ip, { payload: counting(13_000), ...tcp });
  return superPacket(packet, 1300);
}

const links = ["none", "ethernet", "vlan"] as const;

for (const version of [4, 6] as const) {
  for (const link of links) {
    const ip = { version, link, tos: 2, hopLimit: 61, flowLabel: 0x12345 };
    const payload = counting(8_001);
    const name = `over IPv${version}, link header: ${link}`;

    Deno.test(`TCP ${name}: segments equal those of the reference`, () => {
      const tcp = { payload, options: timestamps(9), flags: ACK | PSH };
      assertAsReference(superPacket(tcpPacket(ip, tcp), 1348), link !== "none");
    });

    Deno.test(`UDP ${name}: segments equal those of the reference`, () => {
      const packet = udpPacket(ip, { payload });
      assertAsReference(superPacket(packet, 1199), link !== "none");
    });

    Deno.test(`options ${name}: are in every segment`, () => {
      const packet = tcpPacket({ ...ip, optionBytes: 8 }, { payload });
      assertAsReference(superPacket(packet, 1000), link !== "none");
    });

    Deno.test(`NEEDS_CSUM ${name}: the checksum is finished in place`, () => {
      for (const size of [0, 1, 2, 1301]) {
        const payload = counting(size);
        for (
          const packet of [
            tcpPacket(ip, { payload }),
            udpPacket(ip, { payload }),
          ]
        ) {
          const read = unfinished(packet);
          const { answer, packets } = segment(read, link !== "none");
          assert.equal(answer, IN_PLACE);
          assert.deepEqual(packets.map(hex), [hex(packet)]);
        }
      }
    });
  }
}

Deno.test("a packet without NEEDS_CSUM stays as it is", () => {
  for (
    const packet of [
      tcpPacket({}, { payload: counting(99) }),
      udpPacket({ version: 6 }, { payload: counting(99) }),
      ipPacket({}, 1, counting(64)),
      Uint8Array.of(0),
    ]
  ) {
    const { answer, packets } = segment(plain(packet));
    assert.equal(answer, IN_PLACE);
    assert.deepEqual(packets.map(hex), [hex(packet)]);
  }
});

Deno.test("FIN and PSH are on the last segment only", () => {
  const { packets } = segment(tenSegments({}, { flags: ACK | FIN | PSH }));
  const flags = packets.map((packet) => packet[33]);
  assert.deepEqual(flags, [...Array(9).fill(ACK), ACK | FIN | PSH]);
});

Deno.test("CWR is on the first segment only", () => {
  const read = tenSegments({}, { flags: ACK | CWR });
  for (const gsoType of [1, 1 | 0x80]) {
    const { packets } = segment(edited(read, 1, gsoType));
    const flags = packets.map((packet) => packet[33]);
    assert.deepEqual(flags, [ACK | CWR, ...Array(9).fill(ACK)]);
  }
});

Deno.test("URG, ECN and the congestion experienced mark are kept", () => {
  assertAsReference(
    tenSegments({ tos: 3 }, { flags: ACK | URG | 0x40, urgent: 77 }),
  );
});

Deno.test("identification and sequence number wrap around", () => {
  assertAsReference(tenSegments({ id: 0xfffc }, { sequence: 0xffff_f000 }));
});

Deno.test("a header checksum that carries twice is right", () => {
  // Without length and identification the IPv4 header sums to 0xfac4.
  const ip = { tos: 0xbc, hopLimit: 0x60, id: 0xffff };
  const { packets } = segment(tenSegments(ip));
  assert.equal(packets[0]?.length, 0x10000 - 0xfac4);
  assert.deepEqual(packets[0]?.slice(10, 12), Uint8Array.of(0xff, 0xfe));
});

Deno.test("a super-packet of one segment is finished in a slot", () => {
  const packet = tcpPacket({}, { payload: counting(500), flags: ACK | PSH });
  const { answer, packets } = segment(superPacket(packet, 1300));
  assert.equal(answer, 1);
  assert.deepEqual(packets.map(hex), [hex(packet)]);
});

Deno.test("the largest super-packets are segmented", () => {
  const payload = counting(65_535 - 20 - 20);
  assertAsReference(superPacket(tcpPacket({}, { payload }), 1448));
  const longer = counting(65_535 - 20);
  assertAsReference(
    superPacket(tcpPacket({ version: 6 }, { payload: longer }), 536),
  );
});

Deno.test("hdr_len of the virtio header does not matter", () => {
  const read = tenSegments();
  assert.deepEqual(segment(edited(read, 2, 9, 9)), segment(read));
});

Deno.test("without NEEDS_CSUM the checksums are made from the addresses", () => {
  for (const version of [4, 6] as const) {
    const read = tenSegments({ version });
    const { packets } = segment(edited(read, 0, 2)); // DATA_VALID
    assert.deepEqual(packets.map(hex), segmentsOf(read).map(hex));
  }
});

Deno.test("a UDP checksum of 0 becomes all ones", () => {
  // Two bytes of payload chosen so that everything sums to all ones.
  const whole = udpPacket({}, { payload: Uint8Array.of(0, 0) });
  const { transport, payload } = layoutOf(whole);
  const checksum = whole.slice(transport + 6, transport + 8);
  const packet = edited(
    edited(whole, payload, ...checksum),
    transport + 6,
    0xff,
    0xff,
  );
  for (const read of [unfinished(packet), superPacket(packet, 2)]) {
    const { packets } = segment(read);
    assert.deepEqual(packets.map(hex), [hex(packet)]);
  }
});

Deno.test("next() goes on where the slots ran out", () => {
  const read = superPacket(tcpPacket({}, { payload: counting(64_000) }), 500);
  const expected = segmentsOf(read);
  assert.equal(expected.length, 128);
  const { test, segmenter } = setUp();
  test.put(READ, read);
  assert.equal(segmenter.begin(READ, read.length), 128);
  const sizes = new Uint32Array(64);
  const packets: string[] = [];
  for (const slots of [1, 50, 0, 64, 13]) {
    const at = 64 - slots;
    const count = segmenter.next(SLOTS, GAP, sizes, at, slots);
    assert.equal(count, slots);
    let from = SLOTS;
    for (const size of sizes.subarray(at, at + count)) {
      packets.push(hex(test.get(from, size)));
      from += size + GAP;
    }
  }
  assert.deepEqual(packets, expected.map(hex));
  assert.equal(segmenter.next(SLOTS, GAP, sizes, 0, 64), 0);
});

Deno.test("begin() forgets an unfinished super-packet", () => {
  const { test, segmenter } = setUp();
  const read = tenSegments();
  const sizes = new Uint32Array(64);
  test.put(READ, read);
  segmenter.begin(READ, read.length);
  assert.equal(segmenter.next(SLOTS, GAP, sizes, 0, 3), 3);
  test.put(READ, plain(tcpPacket({}, {})));
  assert.equal(segmenter.begin(READ, 50), IN_PLACE);
  assert.equal(segmenter.next(SLOTS, GAP, sizes, 0, 64), 0);
});

const tcp4 = tenSegments();
const udp4 = superPacket(udpPacket({}, { payload: counting(9000) }), 900);
const tcp6 = tenSegments({ version: 6 });
const extended = tenSegments({ version: 6, optionBytes: 8 });
const IP = 10;
const TCP4 = IP + 20;

/** What was read, and why it cannot be segmented. */
const malformed: readonly (readonly [string, Uint8Array, boolean?])[] = [
  ["nothing", new Uint8Array()],
  ["half a virtio header", tcp4.slice(0, 5)],
  ["no packet", plain(new Uint8Array())],
  ["half an IP header", tcp4.slice(0, 20)],
  ["half a TCP header", tcp4.slice(0, TCP4 + 10)],
  ["a packet cut short", tcp4.slice(0, -1)],
  ["a packet with bytes behind it", new Uint8Array([...tcp4, 0])],
  ["gso_size 0", edited(tcp4, 4, 0, 0)],
  ["UDP fragmentation (gso_type 3)", edited(udp4, 1, 3)],
  ["an unknown gso_type", edited(tcp4, 1, 2)],
  ["gso_type TCPv6 over IPv4", edited(tcp4, 1, 4)],
  ["gso_type TCPv4 over IPv6", edited(tcp6, 1, 1)],
  ["gso_type TCPv4 with UDP", edited(udp4, 1, 1)],
  ["gso_type UDP_L4 with TCP", edited(tcp4, 1, 5)],
  ["gso_type UDP_L4 with ECN", edited(udp4, 1, 0x85)],
  ["csum_start elsewhere", edited(tcp4, 6, 40)],
  ["csum_offset elsewhere", edited(tcp4, 8, 6)],
  ["IP version 5", edited(tcp4, IP, 0x55)],
  ["IPv4 header of 16 bytes", edited(tcp4, IP, 0x44)],
  ["a fragment", edited(tcp4, IP + 6, 0x20, 0)],
  ["a later fragment", edited(tcp4, IP + 6, 0, 1)],
  ["ICMP", edited(tcp4, IP + 9, 1)],
  ["TCP header of 16 bytes", edited(tcp4, TCP4 + 12, 0x40)],
  ["a UDP length that is wrong", edited(udp4, TCP4 + 4, 0, 8)],
  ["no payload", superPacket(tcpPacket({}, {}), 1300)],
  [
    "TCP options past the end",
    edited(
      superPacket(tcpPacket({}, { payload: counting(9) }), 4),
      TCP4 + 12,
      0xf0,
    ),
  ],
  ["IPv6 length 0 (jumbogram)", edited(tcp6, IP + 4, 0, 0)],
  ["an IPv6 fragment", edited(tcp6, IP + 6, 44)],
  ["IPv6 options past the end", edited(extended.slice(0, 60), IP + 41, 255)],
  ["an Ethernet header cut short", new Uint8Array(10 + 13).fill(1, 1, 2), true],
  [
    "an Ethernet frame of another type",
    edited(
      superPacket(
        tcpPacket({ link: "ethernet" }, { payload: counting(9000) }),
        900,
      ),
      10 + 13,
      6,
    ),
    true,
  ],
];

for (const [name, read, ethernet] of malformed) {
  Deno.test(`begin() refuses ${name}`, () => {
    const { answer, packets } = segment(read, ethernet);
    assert.equal(answer, MALFORMED);
    assert.deepEqual(packets, []);
  });
}

Deno.test("begin() says of segments that are too long that they are, and leaves them", () => {
  const { answer, packets } = segment(edited(tcp4, 4, 0xff, 0xff));
  assert.equal(answer, TOO_LONG);
  assert.deepEqual(packets, []);
});

Deno.test("begin() refuses a checksum beyond the packet", () => {
  const packet = tcpPacket({}, {});
  const read = unfinished(packet);
  assert.equal(segment(edited(read, 8, 18)).answer, IN_PLACE);
  assert.equal(segment(edited(read, 8, 19)).answer, MALFORMED);
  assert.equal(segment(edited(read, 6, 0xff, 0xff)).answer, MALFORMED);
});
