import assert from "node:assert/strict";
import { Coalescer } from "../../../src/offload/coalesce.ts";
import { groups, range, SIZE, tcp, udp } from "../../samples/bulk_flows.ts";
import {
  ACK,
  concat,
  counting,
  edited,
  ipPacket,
  PSH,
  tcpPacket,
  timestamps,
  writeNetworkChecksum,
  writeTransportChecksum,
} from "../../../lab/packets.ts";
import { hex, TestMemory } from "../../fakes/packet_memory.ts";
import { coalesce, RecordingSink } from "../../fakes/recording_sink.ts";
import { plain, segmentsOf } from "../../../lab/super_packets.ts";

const links = ["none", "ethernet", "vlan"] as const;

for (const version of [4, 6] as const) {
  for (const link of links) {
    const ip = { version, link, tos: 1, flowLabel: 0xabcde };
    const ethernet = link !== "none";
    const name = `over IPv${version}, link header: ${link}`;

    Deno.test(`TCP ${name}: packets in order become one`, () => {
      const packets = range(
        20,
        (n) => tcp(n, { options: timestamps(3) }, { ...ip, id: n }),
      );
      assert.deepEqual(groups(packets, { ethernet }), [20]);
    });

    Deno.test(`UDP ${name}: datagrams of one size become one`, () => {
      const packets = range(20, (n) => udp(n, {}, { ...ip, id: n }));
      assert.deepEqual(groups(packets, { ethernet }), [20]);
    });
  }
}

Deno.test("the virtio header says how to segment", () => {
  const options = timestamps(3);
  const [write] = coalesce([tcp(0, { options }), tcp(1, { options })]);
  assert.ok(write);
  const header = new DataView(write.buffer, 0, 10);
  assert.equal(header.getUint8(0), 1); // NEEDS_CSUM
  assert.equal(header.getUint8(1), 1); // TCPV4
  assert.equal(header.getUint16(2, true), 20 + 32);
  assert.equal(header.getUint16(4, true), SIZE);
  assert.equal(header.getUint16(6, true), 20);
  assert.equal(header.getUint16(8, true), 16);
  assert.equal(write.length, 10 + 52 + 2 * SIZE);
});

for (
  const [name, packet, gsoType, start, offset] of [
    ["TCP over IPv6", tcp, 4, 40, 16],
    ["UDP over IPv6", udp, 5, 40, 6],
  ] as const
) {
  Deno.test(`${name} has its own virtio header`, () => {
    const [write] = coalesce(range(3, (n) => packet(n, {}, { version: 6 })));
    assert.ok(write);
    assert.equal(write[1], gsoType);
    assert.equal(write[6], start);
    assert.equal(write[8], offset);
  });
}

Deno.test("a single packet is not touched", () => {
  for (const packet of [tcp(0), udp(0), tcp(0, {}, { version: 6 })]) {
    assert.deepEqual(coalesce([packet]), [plain(packet)]);
  }
});

Deno.test("with an offload off its packets go through one by one", () => {
  const tcps = range(3, (n) => tcp(n));
  const udps = range(3, (n) => udp(n));
  assert.deepEqual(groups(tcps, { tcp: false }), [1, 1, 1]);
  assert.deepEqual(groups(udps, { tcp: false }), [3]);
  assert.deepEqual(groups(tcps, { udp: false }), [3]);
  assert.deepEqual(groups(udps, { udp: false }), [1, 1, 1]);
});

Deno.test("identification that stays is merged with don't fragment", () => {
  const packets = range(3, (n) => tcp(n, {}, { id: 7 }));
  const [write] = coalesce(packets);
  assert.ok(write);
  // Segmented again, the identification counts up: it has no meaning here.
  const restored = segmentsOf(write).map((packet) => {
    const copy = edited(packet, 4, 0, 7);
    writeNetworkChecksum(copy);
    return hex(copy);
  });
  assert.deepEqual(restored, packets.map(hex));
});

Deno.test("identification and sequence number may wrap around", () => {
  for (const start of [0x7fff_ff00, 0x7fff_f800, 0xffff_f800]) {
    const packets = range(
      6,
      (n) =>
        tcp(n, { sequence: (start + n * SIZE) % 2 ** 32 }, {
          id: (0xfffd + n) & 0xffff,
        }),
    );
    assert.deepEqual(groups(packets), [6]);
  }
});

Deno.test("PSH of the last packet is on the super-packet", () => {
  const [write] = coalesce([tcp(0), tcp(1, { flags: ACK | PSH })]);
  assert.equal(write?.[10 + 33], ACK | PSH);
});

Deno.test("PSH of one flow does not end the next one", () => {
  const pushed = [tcp(0), tcp(1, { flags: ACK | PSH })];
  const after = range(4, (n) => udp(n));
  assert.deepEqual(groups([...pushed, ...after]), [2, 4]);
});

Deno.test("a super-packet is at most 65535 bytes long", () => {
  const make = (n: number, size: number, version: 4 | 6) =>
    tcpPacket({ version, id: n }, {
      sequence: n * size,
      payload: counting(size),
    });
  const flow = (count: number, size: number, version: 4 | 6) =>
    groups(range(count, (n) => make(n, size, version)));
  assert.deepEqual(flow(60, 1300, 4), [50, 10]);
  assert.deepEqual(flow(60, 1300, 6), [50, 10]);
  assert.deepEqual(flow(5, 13_099, 4), [5]); // 40 + 5 * 13099 = 65535
  assert.deepEqual(flow(8, 8187, 4), [7, 1]); // 40 + 8 * 8187 = 65536
});

Deno.test("a super-packet has at most 64 packets", () => {
  const packets = range(
    70,
    (n) => udp(n, { payload: counting(64) }),
  );
  assert.deepEqual(groups(packets), [64, 6]);
});

Deno.test("flows that alternate are coalesced side by side", () => {
  // They differ in just one of: port, host, protocol, version.
  const flows: readonly ((n: number) => Uint8Array)[] = [
    (n) => tcp(n),
    (n) => tcp(n, { port: 40001 }),
    (n) => tcp(n, {}, { host: 2 }),
    (n) => udp(n),
    (n) => tcp(n, {}, { version: 6 }),
    (n) => tcp(n, {}, { version: 6, host: 2 }),
    (n) => udp(n, {}, { version: 6 }),
  ];
  const packets = range(5, (n) => flows.map((flow) => flow(n))).flat();
  const writes = coalesce(packets).map((write) => segmentsOf(write).map(hex));
  assert.deepEqual(
    writes,
    flows.map((flow) => range(5, (n) => hex(flow(n)))),
  );
});

Deno.test("an IPv6 flow that looks like one of IPv4 is not taken for it", () => {
  const packets = range(2, (n) => tcp(n));
  const [first = tcp(0), second = tcp(0)] = packets;
  const lookalike = edited(
    tcp(1, {}, { version: 6 }),
    12,
    ...first.slice(12, 20),
  );
  writeTransportChecksum(lookalike);
  const writes = coalesce([first, lookalike, second]).map(segmentsOf);
  assert.deepEqual(writes, [packets, [lookalike]]);
});

Deno.test("a fragment does not hold up flows between other hosts", () => {
  const fragment = ipPacket({ fragment: 1 }, 17, counting(SIZE));
  const other = range(2, (n) => udp(n, {}, { host: 2 }));
  const [first = fragment, second = fragment] = other;
  const writes = coalesce([first, fragment, second]).map(segmentsOf);
  assert.deepEqual(writes, [[fragment], other]);
});

Deno.test("of 17 flows the oldest is written first and begins anew", () => {
  const flow = (port: number) => (n: number) => tcp(n, { port });
  const flows = range(17, flow);
  const packets = range(2, (n) => flows.map((flow) => flow(n))).flat();
  // Each of the 17 comes when its group has just had to go.
  assert.equal(coalesce(packets).length, 34);
  const sixteen = flows.slice(1);
  const fewer = range(2, (n) => sixteen.map((flow) => flow(n))).flat();
  assert.equal(coalesce(fewer).length, 16);
});

Deno.test("what is no IP packet goes through at once", () => {
  const arp = concat(
    Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6),
    counting(46),
  );
  const packets = [tcp(0), tcp(1)].map((packet) =>
    concat(arp.subarray(0, 12), Uint8Array.of(8, 0), packet)
  );
  const [first = arp, second = arp] = packets;
  const writes = coalesce([first, arp, second], { ethernet: true });
  assert.deepEqual(writes.map(segmentsOf), [[arp], packets]);
  for (const size of [0, 1, 13, 14, 17, 18]) {
    const short = arp.slice(0, size);
    assert.deepEqual(coalesce([short], { ethernet: true }), [plain(short)]);
    assert.deepEqual(coalesce([short]), [plain(short)]);
  }
});

Deno.test("flush() leaves nothing behind for the next batch", () => {
  const test = new TestMemory(2 * 65536);
  const sink = new RecordingSink(test);
  const options = { ethernet: false, tcp: true, udp: true };
  const coalescer = new Coalescer(test.memory, 0, sink, options);
  const packet = tcp(0);
  test.put(65536, packet);
  coalescer.add(65536, packet.length);
  assert.deepEqual(sink.writes, []);
  coalescer.flush();
  assert.deepEqual(sink.writes, [plain(packet)]);
  coalescer.flush();
  assert.equal(sink.writes.length, 1);
});
