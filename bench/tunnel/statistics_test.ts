import assert from "node:assert/strict";
import fc from "fast-check";
import { advantage, mean, median, quantile, twoModes } from "./statistics.ts";

const figures = fc.array(fc.double({ noNaN: true, min: 0, max: 1e9 }), {
  minLength: 1,
  maxLength: 50,
});

Deno.test("median() takes the middle value, whatever the order", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 9, 100]), 10); // numbers do not sort as text
  assert.equal(median([7]), 7);
});

Deno.test("median() takes the mean of the middle two of an even number", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("median() has as many values above it as below it", () => {
  fc.assert(fc.property(figures, (values) => {
    const middle = median(values);
    const half = values.length / 2;
    assert.ok(values.filter((value) => value < middle).length <= half);
    assert.ok(values.filter((value) => value > middle).length <= half);
  }));
});

Deno.test("quantile() is the smallest value that enough others stay below", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(quantile(hundred, 0.99), 99);
  assert.equal(quantile(hundred, 1), 100);
  assert.equal(quantile(hundred, 0.01), 1);
});

Deno.test("quantile() leaves its input in order", () => {
  const values = [3, 1, 2];
  quantile(values, 0.5);
  assert.deepEqual(values, [3, 1, 2]);
});

Deno.test("no statistic makes a figure out of nothing", () => {
  assert.throws(() => median([]), RangeError);
  assert.throws(() => mean([]), RangeError);
  assert.throws(() => quantile([], 0.99), RangeError);
});

Deno.test("advantage() is above 1 when ours is better, whichever way", () => {
  assert.equal(advantage(3, 1, "higher"), 3);
  assert.equal(advantage(5, 20, "lower"), 4);
  assert.equal(advantage(20, 5, "lower"), 0.25);
});

Deno.test("twoModes() tells where values gather, and how many in each place", () => {
  assert.deepEqual(twoModes([0.3, 0.58, 0.29, 0.6, 0.31], 1.3), {
    ...{ low: 0.3, high: 0.59, lowCount: 3, highCount: 2 },
  });
  assert.deepEqual(twoModes([5, 1], 1.3), {
    ...{ low: 1, high: 5, lowCount: 1, highCount: 1 },
  });
});

Deno.test("twoModes() finds none in values that scatter around one place", () => {
  assert.equal(twoModes([0.3, 0.31, 0.29, 0.33], 1.3), undefined);
  assert.equal(twoModes([1], 1.3), undefined);
  assert.equal(twoModes([], 1.3), undefined);
});

Deno.test("twoModes() leaves no value out and has its input in order", () => {
  fc.assert(fc.property(figures, (values) => {
    const before = [...values];
    const modes = twoModes(values, 1.3);
    assert.deepEqual(values, before);
    if (modes === undefined) return;
    assert.equal(modes.lowCount + modes.highCount, values.length);
    assert.ok(modes.low <= modes.high);
  }));
});
