import assert from "node:assert/strict";
import fc from "fast-check";
import { sha256Text } from "../../../src/crypto/sha256.ts";
import { TextSeal } from "../../../src/state/sealed_text.ts";
import {
  EVERY_SPACE,
  MAX_NUMBERS_BYTES,
  UsedNumbers,
} from "../../../src/state/used_numbers.ts";

const seal = new TextSeal(sha256Text);

const spaceOf = (k: number) => sha256Text(Uint8Array.of(k, k >> 8));

Deno.test("a file of used numbers is read as it was written", () => {
  const entry = fc.record({
    space: fc.nat(20).map(spaceOf),
    id: fc.nat(0xffff),
    next: fc.nat(2 ** 32),
  });
  fc.assert(fc.property(fc.array(entry), (entries) => {
    const used = new UsedNumbers();
    for (const { space, id, next } of entries) used.raise(space, id, next);
    const read = UsedNumbers.parse(seal, used.format(seal));
    for (const { space, id, next } of entries) {
      assert.equal(read.of(space, id), used.of(space, id));
      assert.ok(read.of(space, id) >= next);
    }
    assert.deepEqual([...read.spaces()], [...used.spaces()]);
  }));
});

Deno.test("a file of used numbers has an end, and what it joins stays used", () => {
  const used = new UsedNumbers();
  const count = 60_000;
  for (let k = 0; k < count; k++) used.raise(spaceOf(k), k % 3, 1 + k);
  const bytes = used.format(seal);
  assert.ok(bytes.length < MAX_NUMBERS_BYTES / 2);
  const read = UsedNumbers.parse(seal, bytes);
  for (let k = 0; k < count; k++) {
    assert.ok(read.of(spaceOf(k), k % 3) >= 1 + k);
  }
  const last = count - 1;
  assert.equal(read.of(spaceOf(last), last % 3), count, "those used most");
  assert.ok(read.of("of no key so far", 0) < count);
  assert.equal(read.of("of no key so far", 3), 0, "by sender id");
});

Deno.test("what is no file of used numbers is refused", () => {
  const parse = (...lines: readonly string[]) => () =>
    UsedNumbers.parse(seal, seal.seal("anytun-numbers 1", lines));
  const space = `space ${spaceOf(1)}`;
  parse(space, "1 5", "2 4294967296", `space ${EVERY_SPACE}`, "1 7")();
  const lines = [
    ...["1 5", "space", "1 4294967297", "65536 1", "-1 1", "1 -1", "1 1 1"],
    ...["", "space a b", "1 1.5"],
  ];
  for (const line of lines) {
    const isFirst = line === "1 5";
    assert.throws(parse(...isFirst ? [] : [space], line), {
      message: `it has the line '${line}'`,
    });
  }
  assert.throws(parse(space, "2 1", "1 1"), /'1 1'/);
  assert.throws(parse(space, space), /'space/);
});
