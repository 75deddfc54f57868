import assert from "node:assert/strict";
import { TokenBucket } from "../../../src/log/token_bucket.ts";

Deno.test("a bucket gives its burst at once, and what flows in later on", () => {
  let now = 1000;
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, () => now);
  const takes = () => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };
  assert.equal(bucket.isFull(), true);
  assert.equal(takes(), 3);
  now = 1400;
  assert.equal(bucket.holdsOne(), false);
  now = 1500;
  assert.equal(takes(), 1);
  now = 2900;
  assert.equal(bucket.isFull(), false);
  now = 3000;
  assert.equal(bucket.isFull(), true);
  now = 1e9;
  assert.equal(takes(), 3, "it holds no more than the burst");
});

Deno.test("parts of a token add up, however often somebody asks", () => {
  let now = 0;
  const bucket = new TokenBucket({ burst: 1, perSecond: 1 }, () => now);
  assert.equal(bucket.take(), true);
  // In eighths of a second, which add up exactly.
  for (now = 125; now < 1000; now += 125) assert.equal(bucket.take(), false);
  assert.equal(bucket.take(), true);
});
