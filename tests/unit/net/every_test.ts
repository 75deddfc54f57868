import assert from "node:assert/strict";
import { every } from "../../../src/net/every.ts";

/** Long enough for a timer of a millisecond that was left behind. */
async function someTimes(): Promise<void> {
  const stop = new AbortController();
  let times = 0;
  await every(5, () => {
    if (++times === 3) stop.abort();
  }, stop.signal);
}

Deno.test("work comes back until its signal is aborted, and leaves no timer behind", async () => {
  const stop = new AbortController();
  let times = 0;
  await every(1, () => {
    if (++times === 3) stop.abort();
  }, stop.signal);
  await someTimes();
  assert.equal(times, 3);
});

Deno.test("nothing is done once the signal is aborted", async () => {
  const work = () => assert.fail("works");
  await every(1, work, AbortSignal.abort());
});

Deno.test("work that fails ends, and says why", async () => {
  const { signal } = new AbortController();
  const reason = new Error("enough");
  let times = 0;
  const work = () => {
    times++;
    throw reason;
  };
  await assert.rejects(every(1, work, signal), reason);
  await someTimes();
  assert.equal(times, 1);
});
