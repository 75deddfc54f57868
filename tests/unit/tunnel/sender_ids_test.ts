import assert from "node:assert/strict";
import {
  chooseSenderIds,
  idsByGeneration,
} from "../../../src/tunnel/sender_ids.ts";
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

Deno.test("sender ids that were taken come last, as they come", () => {
  const taken = new Set([12, 3, 10]);
  const range = { first: 10, last: 13 };
  const ids = chooseSenderIds(range, (words) => words.fill(0), taken);
  assert.deepEqual(ids, [11, 13, 12, 10]);
});

Deno.test("sender ids of a generation are those that all senders have at a time", () => {
  assert.deepEqual(idsByGeneration([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4]]);
  assert.deepEqual(idsByGeneration([1, 2], 1), [[1], [2]]);
});

Deno.test("where the last sender id may wrap, numbers go on behind it under the same one", () => {
  const ids = new SenderIds([7, 900], true);
  assert.ok(ids.limit > 200 * 2 ** 32);
  assert.deepEqual([0, 1, 2, 150].map((k) => ids.of(k)), [7, 900, 900, 900]);
  assert.equal(ids.lowAt, Infinity);
});
