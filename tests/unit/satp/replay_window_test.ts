import { strict as assert } from "node:assert";
import fc from "fast-check";
import { MAX_WINDOW_SIZE, ReplayWindow } from "../../../mod.ts";
import {
  SlowReplayWindow,
  SlowReplayWindows,
} from "../../oracles/slow_replay_window.ts";

const near = (centre: number) =>
  fc.integer({ min: -300, max: 300 }).map((d) => (centre + d) >>> 0);
const seq = fc.oneof(
  near(0),
  near(2 ** 31),
  near(0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const size = fc.constantFrom(1, 2, 3, 31, 32, 33, 64, 100, 128, 1000);

Deno.test("a replay window decides as the slow one on random numbers", () => {
  fc.assert(
    fc.property(size, fc.array(seq, { maxLength: 200 }), (size, seqs) => {
      const fast = new ReplayWindow(size);
      const slow = new SlowReplayWindow(size);
      for (const [index, seq] of seqs.entries()) {
        const refuses = fast.refuses(0, seq);
        const accepted = slow.accept(seq);
        assert.equal(fast.accept(0, seq), accepted, `packet ${index}`);
        assert.equal(refuses, !accepted, `asked for packet ${index}`);
      }
    }),
  );
});

Deno.test("a replay window decides as the slow one whatever sizes it is given on the way", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: seq.map((seq) => ({ seq })) },
    { weight: 1, arbitrary: size.map((size) => ({ size })) },
  );
  fc.assert(
    fc.property(size, fc.array(step, { maxLength: 200 }), (size, steps) => {
      const fast = new ReplayWindow(size);
      const slow = new SlowReplayWindow(size);
      for (const [index, step] of steps.entries()) {
        if ("size" in step) {
          fast.resize(step.size);
          slow.resize(step.size);
          assert.equal(fast.size, step.size);
        } else {
          const accepted = slow.accept(step.seq);
          assert.equal(fast.accept(0, step.seq), accepted, `step ${index}`);
        }
      }
    }),
  );
});

Deno.test("a window that grows refuses what it no longer knew, and knows the rest", () => {
  const window = new ReplayWindow(64);
  for (const seq of [900, 1000, 998]) window.accept(0, seq);
  window.resize(128);
  const accepted = (...seqs: number[]) =>
    seqs.filter((seq) => window.accept(0, seq));
  assert.deepEqual(accepted(900, 901, 936), [], "behind the smaller window");
  assert.deepEqual(accepted(937, 998, 999, 1000), [937, 999]);
  assert.deepEqual(accepted(1064, 937, 938, 1064), [1064, 938]);
});

Deno.test("without a window nothing is known but the highest number, so that all before it count as seen", () => {
  const window = new ReplayWindow(0);
  for (const seq of [5, 9]) window.accept(0, seq);
  window.resize(64);
  for (const seq of [9, 8, 1]) assert.equal(window.accept(0, seq), false);
  assert.ok(window.accept(0, 10));
  window.resize(0);
  assert.ok(window.accept(0, 10));
  assert.equal(window.highest(0), 10);
  assert.throws(() => window.resize(-1), RangeError);
});

Deno.test("a window of 0 accepts everything but knows the highest number", () => {
  const window = new ReplayWindow(0);
  for (const seq of [5, 5, 3, 9, 1]) assert.ok(window.accept(1, seq));
  assert.equal(window.highest(1), 9);
  assert.equal(window.highest(2), undefined);
});

Deno.test("a further sender takes the place of the one that is silent longest", () => {
  const window = new ReplayWindow(8, 2);
  assert.ok(window.accept(1, 0));
  assert.ok(window.accept(2, 0));
  assert.ok(window.accept(1, 1));
  assert.ok(window.accept(3, 0));
  assert.equal(window.highest(2), undefined);
  assert.equal(window.accept(1, 1), false, "1 is known as before");
  assert.equal(window.accept(3, 0), false);
});

Deno.test("a datagram that comes again does not keep its sender from being forgotten", () => {
  const window = new ReplayWindow(8, 2);
  window.accept(1, 0);
  window.accept(2, 0);
  assert.equal(window.accept(1, 0), false);
  window.accept(3, 0);
  assert.equal(window.highest(1), undefined);
  assert.equal(window.highest(2), 0);
});

for (const size of [0, 1, 8, 64]) {
  Deno.test(`a window of ${size} keeps the senders that the slow one keeps`, () => {
    const datagram = fc.tuple(fc.nat(5), fc.nat(12));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(datagram, { maxLength: 100 }),
        (most, datagrams) => {
          const fast = new ReplayWindow(size, most);
          const slow = new SlowReplayWindows(size, most);
          for (const [index, [id, seq]] of datagrams.entries()) {
            const accepted = slow.accept(id, seq);
            assert.equal(fast.accept(id, seq), accepted, `packet ${index}`);
            const known = [0, 1, 2, 3, 4, 5].filter((id) =>
              fast.highest(id) !== undefined
            );
            assert.deepEqual(known, slow.ids.toSorted());
          }
        },
      ),
    );
  });

  Deno.test(`a peer that starts 5000 times, each with another id, is heard at a window of ${size}`, () => {
    const window = new ReplayWindow(size);
    for (let id = 0; id < 5000; id++) {
      for (const seq of [0, 1, 2]) {
        assert.ok(window.accept(id, seq), `start ${id}, packet ${seq}`);
      }
    }
    const known = Array.from({ length: 5000 }, (_, id) => id)
      .filter((id) => window.highest(id) !== undefined);
    assert.equal(known.length, 1024, "what is kept stays bounded");
  });
}

Deno.test("a replay window rejects sizes and numbers out of range", () => {
  for (const size of [-1, 1.5, MAX_WINDOW_SIZE + 1, NaN]) {
    assert.throws(() => new ReplayWindow(size), RangeError);
  }
  const window = new ReplayWindow(8);
  assert.throws(() => window.accept(0, 2 ** 32), RangeError);
  assert.throws(() => window.accept(65536, 0), RangeError);
});
