import { strict as assert } from "node:assert";
import fc from "fast-check";
import { ReplayMemory, ReplayWindow } from "../../../mod.ts";
import { SlowReplayWindow } from "../../oracles/slow_replay_window.ts";

/** A window whose floors are a map. */
function setUp(size: number, maxSenders?: number) {
  const floors = new Map<number, number>();
  const memory = new ReplayMemory();
  const of = (senderId: number) => floors.get(senderId);
  const window = new ReplayWindow(size, maxSenders, memory, undefined, { of });
  const raise = (senderId: number, floor: number) => {
    floors.set(senderId, floor);
    window.raise();
  };
  const accepted = (senderId: number, ...seqs: number[]) =>
    seqs.filter((seq) => window.accept(senderId, seq));
  return { accepted, raise, window };
}

Deno.test("what was accepted elsewhere is a replay here, also of a sender that was never heard", () => {
  const { accepted, raise, window } = setUp(64);
  raise(3, 1000);
  assert.ok(window.refuses(3, 1000), "also before its tag is looked at");
  assert.deepEqual(accepted(3, 0, 937, 1000), []);
  assert.equal(window.senders, 0, "a recording opens no window");
  assert.deepEqual(accepted(3, 1002, 1001, 1000, 1002), [1002, 1001]);
  assert.deepEqual(accepted(4, 5), [5], "another sender has another floor");
});

Deno.test("a floor within the window leaves what is above it as it was", () => {
  const { accepted, raise } = setUp(64);
  assert.deepEqual(accepted(3, 1000, 990), [1000, 990]);
  raise(3, 995);
  assert.deepEqual(accepted(3, 989, 990, 995), []);
  assert.deepEqual(accepted(3, 996, 1000, 999, 1001), [996, 999, 1001]);
  raise(3, 900);
  assert.deepEqual(accepted(3, 997, 998), [997, 998], "a floor never falls");
});

Deno.test("a floor ahead of the window moves it", () => {
  const { accepted, raise, window } = setUp(64);
  assert.deepEqual(accepted(3, 1000), [1000]);
  raise(3, 5000);
  assert.equal(window.highest(3), 5000);
  assert.deepEqual(accepted(3, 1001, 4999, 5000), []);
  assert.deepEqual(accepted(3, 5001, 5003, 5002), [5001, 5003, 5002]);
});

Deno.test("a sender that has lost its bits has the higher of its own number and its floor", () => {
  const { accepted, raise } = setUp(8, 1);
  assert.deepEqual(accepted(3, 50), [50]);
  assert.deepEqual(accepted(4, 50), [50]);
  raise(3, 60);
  raise(4, 10);
  assert.deepEqual(accepted(3, 55, 60, 61), [61]);
  assert.deepEqual(accepted(4, 20, 50, 51), [51]);
});

Deno.test("without a window floors refuse nothing", () => {
  const { accepted, raise, window } = setUp(0);
  raise(3, 1000);
  assert.deepEqual(accepted(3, 5, 5), [5, 5]);
  assert.equal(window.refuses(3, 5), false);
});

Deno.test("a window with floors decides as the slow one", () => {
  const near = (centre: number) =>
    fc.integer({ min: -200, max: 200 }).map((d) => (centre + d) >>> 0);
  const seq = fc.oneof(near(0), near(2 ** 31), near(0xffffffff));
  const step = fc.record({ seq, isFloor: fc.boolean() });
  const size = fc.constantFrom(1, 2, 31, 32, 33, 64, 100);
  fc.assert(
    fc.property(size, fc.array(step, { maxLength: 60 }), (size, steps) => {
      const { raise, window } = setUp(size);
      const slow = new SlowReplayWindow(size);
      // Until it is heard a sender has the last floor, and no number to compare.
      let pending: number | undefined;
      let isHeard = false;
      for (const [k, { seq, isFloor }] of steps.entries()) {
        if (isFloor) {
          raise(0, seq);
          if (isHeard) slow.raise(seq);
          else pending = seq;
          continue;
        }
        if (!isHeard && pending !== undefined) {
          slow.forget();
          slow.raise(pending);
        }
        const accepts = slow.accept(seq);
        assert.equal(window.refuses(0, seq), !accepts, `step ${k}`);
        assert.equal(window.accept(0, seq), accepts, `step ${k}`);
        isHeard ||= accepts;
      }
    }),
  );
});
