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

Deno.test("of the sender that is silent longest a further one leaves the highest number", () => {
  const window = new ReplayWindow(8, 2);
  for (const seq of [5, 7]) assert.ok(window.accept(2, seq));
  assert.ok(window.accept(1, 0));
  assert.ok(window.accept(3, 0));
  assert.equal(window.highest(2), 7);
  assert.equal(window.senders, 3);
  for (const seq of [7, 6, 5, 0]) {
    assert.ok(window.refuses(2, seq), "it may have been seen");
    assert.equal(window.accept(2, seq), false);
  }
  assert.equal(window.accept(1, 0), false, "what was refused renews nothing");
  assert.ok(window.accept(2, 10));
  assert.ok(window.accept(2, 9), "between the old and the new highest");
  assert.equal(window.accept(2, 7), false);
});

Deno.test("a datagram that comes again does not keep the window of its sender", () => {
  const window = new ReplayWindow(8, 2);
  window.accept(1, 5);
  window.accept(2, 5);
  assert.equal(window.accept(1, 5), false);
  window.accept(3, 5);
  assert.ok(window.refuses(1, 4), "the window of 1 has made room");
  assert.equal(window.refuses(2, 4), false);
});

Deno.test("a window that is cleared knows nothing", () => {
  const window = new ReplayWindow(8, 2);
  for (const id of [1, 2, 3]) window.accept(id, 5);
  window.clear();
  assert.equal(window.senders, 0);
  assert.equal(window.bytes, 0);
  for (const id of [1, 2, 3, 4]) {
    assert.equal(window.highest(id), undefined);
    assert.ok(window.accept(id, 5));
  }
  assert.ok(window.refuses(1, 5));
});

Deno.test("a datagram far ahead makes new what lies between, however far that is", () => {
  const size = 4096;
  for (const distance of [1, 2, 31, 32, 33, 63, 64, 100, 1024, 4095, 5000]) {
    for (const first of [0, 1, 31, 32, 77, 4000]) {
      const window = new ReplayWindow(size);
      // As many as the window holds, so that every bit was set before.
      for (let seq = 0; seq < size; seq++) window.accept(0, first + seq);
      const highest = first + size - 1 + distance;
      assert.ok(window.accept(0, highest));
      const known = (seq: number) => seq < first + size || seq === highest;
      for (let seq = highest - size + 1; seq <= highest; seq++) {
        assert.equal(window.refuses(0, seq), known(seq), `${seq}`);
      }
    }
  }
});

for (const size of [0, 1, 8, 64]) {
  Deno.test(`a window of ${size} keeps of senders what the slow one keeps`, () => {
    const datagram = fc.tuple(fc.nat(5), fc.nat(12));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(datagram, { maxLength: 100 }),
        (most, datagrams) => {
          const fast = new ReplayWindow(size, most);
          const slow = new SlowReplayWindows(size, most);
          for (const [index, [id, seq]] of datagrams.entries()) {
            const refuses = fast.refuses(id, seq);
            const accepted = slow.accept(id, seq);
            assert.equal(fast.accept(id, seq), accepted, `packet ${index}`);
            assert.equal(refuses, !accepted);
            if (size === 0) continue;
            for (const id of [0, 1, 2, 3, 4, 5]) {
              assert.equal(fast.highest(id), slow.highest(id));
            }
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
    assert.ok(window.bytes < 1024 * 500 + 5000 * 50, "it stays bounded");
    for (let id = 0; id < 5000 && size > 0; id++) {
      assert.equal(window.accept(id, 2), false, "a recording stays one");
      assert.equal(window.highest(id), 2);
    }
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
