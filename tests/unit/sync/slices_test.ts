import { strict as assert } from "node:assert";
import { Slices } from "../../../src/sync/slices.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";

function setUp() {
  const clock = new ManualClock();
  let time = 0;
  const slices = new Slices({ delay: clock.delay, now: () => time });
  const work = (ms: number) => {
    for (const _ of slices.run([0])) time += ms;
  };
  return { clock, slices, work };
}

Deno.test("nobody waits before there was much work, whoever has done it", async () => {
  const { clock, slices, work } = setUp();
  work(6);
  assert.equal(slices.turn(), undefined);
  work(6);
  const turn = slices.turn();
  assert.ok(turn);
  await settle();
  await clock.pass(0);
  await turn;
  assert.equal(slices.turn(), undefined);
});

Deno.test("those who wait go on one after the other, with a turn for everything else between", async () => {
  const { clock, slices, work } = setUp();
  const order: string[] = [];
  work(10);
  for (const name of ["a", "b", "c"]) {
    void slices.turn()?.then(() => order.push(name));
  }
  await settle();
  await clock.pass(0);
  assert.deepEqual(order, ["a"]);
  // Who has done nothing comes behind those who wait.
  void slices.turn()?.then(() => order.push("d"));
  await clock.pass(0);
  assert.deepEqual(order, ["a", "b"]);
  await clock.pass(0);
  await clock.pass(0);
  assert.deepEqual(order, ["a", "b", "c", "d"]);
});

Deno.test("work that ends in a failure counts", () => {
  const { slices, work } = setUp();
  assert.throws(() => {
    for (const _ of slices.run([0])) {
      work(20);
      throw new Error("broken");
    }
  });
  assert.ok(slices.turn());
});
