import assert from "node:assert/strict";
import fc from "fast-check";
import { IN_PLACE, Segmenter } from "../../src/offload/segment.ts";
import { counting, tcpPacket, udpPacket } from "../../lab/packets.ts";
import { hex, TestMemory } from "../fakes/packet_memory.ts";
import {
  segmentsOf,
  superPacket,
  unfinished,
} from "../../lab/super_packets.ts";

const READ = 4000;
const SLOTS = 2 * 65536;
const GAP = 20;
const ROOM = 1600;
const SLOT_COUNT = 64;

const ip = fc.record({
  version: fc.constantFrom<4 | 6>(4, 6),
  host: fc.nat(255),
  tos: fc.nat(255),
  hopLimit: fc.nat(255),
  id: fc.nat(0xffff),
  fragment: fc.constantFrom(0, 0x4000),
  flowLabel: fc.nat(0xfffff),
  optionBytes: fc.constantFrom(0, 8, 40),
});

const tcp = fc.record({
  port: fc.nat(0xffff),
  sequence: fc.nat(0xffff_ffff),
  acknowledgement: fc.nat(0xffff_ffff),
  flags: fc.nat(255),
  window: fc.nat(0xffff),
  urgent: fc.nat(0xffff),
  options: fc.array(fc.nat(255), { maxLength: 10 }).map((values) =>
    values.flatMap((value) => [value, value ^ 255, 0, 255])
  ),
});

/** What a device hands out, and whether it is a tap device. */
const read = fc.record({
  link: fc.constantFrom<"none" | "ethernet" | "vlan">(
    "none",
    "ethernet",
    "vlan",
  ),
  ip,
  tcp: fc.option(tcp),
  payload: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 6000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 65_300 }) },
  ).chain((size) => fc.nat(255).map((from) => counting(size, from))),
  gsoSize: fc.option(fc.integer({ min: 20, max: 1400 })),
}).map(({ link, ip, tcp, payload, gsoSize }) => {
  const fields = { ...ip, link };
  const packet = tcp === null
    ? udpPacket(fields, { payload })
    : tcpPacket(fields, { ...tcp, payload });
  return {
    ethernet: link !== "none",
    bytes: gsoSize === null ? unfinished(packet) : superPacket(packet, gsoSize),
  };
});

/** What a segmenter makes of a read, so many segments at a time. */
function segment(
  bytes: Uint8Array,
  ethernet: boolean,
  steps: readonly number[],
  untouched?: number,
) {
  const test = new TestMemory(5 * 65536, untouched);
  const segmenter = new Segmenter(test.memory, ethernet, ROOM);
  test.put(READ, bytes);
  const answer = segmenter.begin(READ, bytes.length);
  if (answer === IN_PLACE) {
    test.assertUntouchedOutside([READ, bytes.length]);
    return { answer, packets: [hex(test.get(READ + 10, bytes.length - 10))] };
  }
  const packets: string[] = [];
  const sizes = new Uint32Array(SLOT_COUNT);
  for (let i = 0, count = 1; count > 0; i++) {
    const most = steps[i % steps.length] ?? 1;
    count = segmenter.next(SLOTS, GAP, sizes, 0, most);
    let at = SLOTS;
    for (const size of sizes.subarray(0, count)) {
      packets.push(hex(test.get(at, size)));
      at += size + GAP;
    }
  }
  const used = (SLOT_COUNT - 1) * (ROOM + GAP) + ROOM;
  test.assertUntouchedOutside([READ, bytes.length], [SLOTS, used]);
  return { answer, packets };
}

const steps = fc.array(fc.integer({ min: 1, max: SLOT_COUNT }), {
  minLength: 1,
  maxLength: 4,
});

Deno.test("segments are those of the reference", () => {
  fc.assert(
    fc.property(read, steps, ({ bytes, ethernet }, steps) => {
      const { answer, packets } = segment(bytes, ethernet, steps);
      assert.deepEqual(packets, segmentsOf(bytes).map(hex));
      assert.equal(answer, bytes[1] === 0 ? IN_PLACE : packets.length);
    }),
    { numRuns: 300 },
  );
});

/** Where to change a byte of the headers, to what, and the size to cut to. */
const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat(119), fc.nat(255)), { maxLength: 5 }),
  cut: fc.option(fc.nat(200)),
});

Deno.test("a damaged read harms nothing and reveals nothing around it", () => {
  fc.assert(
    fc.property(read, damage, ({ bytes, ethernet }, { edits, cut }) => {
      const damaged = bytes.slice(0, cut ?? undefined);
      for (const [at, value] of edits) {
        if (at < damaged.length) damaged[at] = value;
      }
      const steps = [SLOT_COUNT];
      const one = segment(damaged, ethernet, steps, 0x00);
      assert.deepEqual(one, segment(damaged, ethernet, steps, 0xff));
      if (one.answer < 0) assert.deepEqual(one.packets, []);
      if (one.answer > 0) assert.equal(one.packets.length, one.answer);
    }),
    { numRuns: 1000 },
  );
});
