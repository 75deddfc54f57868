import assert from "node:assert/strict";
import { chooseSenderIds } from "../../../src/tunnel/sender_ids.ts";
import { SenderIds } from "../../../src/tunnel/numbers.ts";

const random = (words: Uint32Array<ArrayBuffer>) =>
  void crypto.getRandomValues(words);

Deno.test("a single sender id is taken as it is", () => {
  assert.deepEqual(chooseSenderIds({ first: 7, last: 7 }, random), [7]);
});

Deno.test("all ids of a small range are taken, each once, in random order", () => {
  const range = { first: 256, last: 511 };
  const all = Array.from({ length: 256 }, (_, k) => 256 + k);
  const orders = [1, 2, 3].map(() => chooseSenderIds(range, random));
  for (const ids of orders) {
    assert.deepEqual(ids.toSorted((a, b) => a - b), all);
  }
  assert.equal(new Set(orders.map((ids) => ids.join())).size, 3);
});

Deno.test("of many ids 256 distinct ones are taken, and any may be the first", () => {
  const range = { first: 0, last: 65535 };
  const ids = chooseSenderIds(range, random);
  assert.equal(new Set(ids).size, 256);
  assert.ok(ids.every((id) => id >= 0 && id <= 65535));
  const firstWith = (word: number) =>
    chooseSenderIds(range, (words) => void words.fill(word))[0];
  assert.deepEqual([0, 40_000, 65_535].map(firstWith), [0, 40_000, 65_535]);
});

Deno.test("sender ids count as many numbers as there are", () => {
  const one = new SenderIds([7]);
  assert.deepEqual([one.of(0), one.limit, one.lowAt], [7, 2 ** 32, 2 ** 31]);
  const two = new SenderIds([7, 9]);
  assert.deepEqual([two.of(0), two.of(1), two.last], [7, 9, 9]);
  assert.equal(two.lowAt, 2 ** 32 + 2 ** 31);
  const ids = Array.from({ length: 257 }, (_, k) => k);
  assert.throws(() => new SenderIds(ids), RangeError);
  assert.throws(() => new SenderIds([]), RangeError);
});
