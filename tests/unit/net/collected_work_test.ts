import assert from "node:assert/strict";
import { CollectedWork } from "../../../src/net/collected_work.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";

function setUp(costMs: number) {
  const clock = new ManualClock();
  let spent = 0;
  const done: number[] = [];
  const elapsed = () => clock.now() + spent;
  const work = new CollectedWork(20, () => {
    done.push(clock.now());
    spent += costMs;
  }, { delay: clock.delay, elapsed });
  return { clock, work, done };
}

Deno.test("a burst of changes is worked on once, soon after its first one", async () => {
  const { clock, work, done } = setUp(0);
  for (let k = 0; k < 1000; k++) work.ask();
  await clock.pass(19);
  assert.deepEqual(done, []);
  work.ask();
  await clock.pass(1);
  assert.deepEqual(done, [20]);
  await clock.pass(1000);
  assert.deepEqual(done, [20], "nobody has asked");
  work.ask();
  await clock.pass(20);
  assert.deepEqual(done, [20, 1040]);
});

Deno.test("change after change has a tenth of the time, however long the work takes", async () => {
  const { clock, work, done } = setUp(100);
  for (let ms = 0; ms < 10_000; ms += 5) {
    work.ask();
    await clock.pass(5);
  }
  assert.ok(done.length >= 8 && done.length <= 10, `${done.length} times`);
});

Deno.test("a change after a long rest does not wait for what was before", async () => {
  const { clock, work, done } = setUp(100);
  work.ask();
  await clock.pass(20);
  await clock.pass(5000);
  work.ask();
  await clock.pass(20);
  assert.deepEqual(done, [20, 5040]);
});
