import assert from "node:assert/strict";
import fc from "fast-check";
import { tcpPacket } from "../../lab/packets.ts";
import { lowerMss, NO_SYN, synAt } from "../../src/offload/mss.ts";
import { withLowerMss } from "../oracles/slow_mss.ts";

const MARGIN = 48;

const option = fc.oneof(
  { weight: 4, arbitrary: fc.nat(0xffff).map((n) => [2, 4, n >> 8, n & 255]) },
  { weight: 3, arbitrary: fc.constant([1]) },
  { weight: 1, arbitrary: fc.constant([8, 10, 0, 0, 0, 1, 0, 0, 0, 2]) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(5), fc.nat(8)) },
);

const packet = fc.record({
  ip: fc.record({
    version: fc.constantFrom<4 | 6>(4, 6),
    host: fc.nat(255),
    fragment: fc.constantFrom(0, 0x4000, 0x2000, 0x2001),
    optionBytes: fc.constantFrom(0, 8, 40),
  }),
  flags: fc.constantFrom(2, 0x12, 0x10, 0xc2),
  options: fc.array(option, { maxLength: 6 }).map((options) => {
    const bytes = options.flat().slice(0, 40);
    while (bytes.length % 4 !== 0) bytes.push(0);
    return bytes;
  }),
  payload: fc.uint8Array({ maxLength: 9 }),
}).map(({ ip, ...tcp }) => tcpPacket(ip, tcp));

const edits = fc.array(fc.tuple(fc.nat(119), fc.nat(255)), { maxLength: 4 });

Deno.test("what becomes of the MSS is what the reference makes of it", () => {
  const cut = fc.option(fc.nat(120));
  const most = fc.integer({ min: 0, max: 0xffff });
  let lowered = 0;
  fc.assert(
    fc.property(packet, edits, cut, most, (whole, edits, cut, most) => {
      const given = whole.slice(0, cut ?? undefined);
      for (const [at, value] of edits) {
        if (at < given.length) given[at] = value;
      }
      const expected = withLowerMss(given, most);
      for (const around of [0x00, 0xff]) {
        const memory = new Uint8Array(given.length + 2 * MARGIN).fill(around);
        memory.set(given, MARGIN);
        const end = MARGIN + given.length;
        const tcp = synAt(memory, MARGIN, end);
        const isLowered = tcp !== NO_SYN && lowerMss(memory, tcp, most);
        assert.equal(isLowered, expected !== given);
        assert.deepEqual(memory.slice(MARGIN, end), expected);
        memory.fill(around, MARGIN, end);
        assert.ok(memory.every((byte) => byte === around));
        if (isLowered) lowered++;
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(lowered > 100);
});
