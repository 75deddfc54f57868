import assert from "node:assert/strict";
import { spareMemory } from "../../../src/daemon/spare_memory.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";

Deno.test("a daemon trims its heap every minute, and drops its program ever more rarely, both sooner at first", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const trimmed: number[] = [];
  const dropped: number[] = [];
  const control = {
    trimHeap: () => void trimmed.push(clock.now()),
    dropProgramPages: () => void dropped.push(clock.now()),
  };
  const run = spareMemory(control, clock.delay).run?.(stop.signal);
  for (let seconds = 0; seconds < 2000; seconds++) await clock.pass(1000);
  stop.abort();
  await run;
  assert.deepEqual(dropped, [1000, 6000, 271_000, 1_771_000]);
  assert.deepEqual(
    trimmed.slice(0, 5),
    [1000, 6000, 31_000, 91_000, 151_000],
  );
  assert.equal(trimmed.length, 35);
});

Deno.test("a daemon that ends gives nothing back any more", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const unexpected = () => assert.fail("it has ended");
  const control = { trimHeap: unexpected, dropProgramPages: unexpected };
  const run = spareMemory(control, clock.delay).run?.(stop.signal);
  stop.abort();
  await run;
});
