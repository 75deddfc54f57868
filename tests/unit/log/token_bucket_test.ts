import assert from "node:assert/strict";
import { TokenBucket } from "../../../src/log/token_bucket.ts";

Deno.test("a bucket gives its burst at once, and what flows in later on", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 1000);
  const takes = (now: number) => {
    let taken = 0;
    while (bucket.take(now)) taken++;
    return taken;
  };
  assert.equal(bucket.isFull(1000), true);
  assert.equal(takes(1000), 3);
  assert.equal(bucket.holdsOne(1400), false);
  assert.equal(takes(1500), 1);
  assert.equal(bucket.isFull(2900), false);
  assert.equal(bucket.isFull(3000), true);
  assert.equal(takes(1e9), 3, "it holds no more than the burst");
});

Deno.test("halves of tokens add up, however often somebody asks", () => {
  const bucket = new TokenBucket({ burst: 1, perSecond: 1 }, 0);
  assert.equal(bucket.take(0), true);
  for (let now = 1; now < 1000; now++) {
    // In halves, quarters … which add up exactly.
    if (now % 125 === 0) assert.equal(bucket.take(now), false, `${now}`);
  }
  assert.equal(bucket.take(1000), true);
});
