// Two ends of a key chain, with clocks of their own, on a wire that may lose.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type EpochClock,
  EpochSchedule,
  type EpochUse,
  HEALING_DISTANCE,
  HEALING_PATIENCE_MS,
  HEALING_TRIALS,
} from "../../src/satp/epoch_schedule.ts";

const INTERVAL = 60;
const GRACE_MS = 15_000;
const FIRST = 1000;
const START_MS = FIRST * INTERVAL * 1000;
const STEP_MS = 500;

/** Time that passes for both, and a time of day for each. */
class Time {
  elapsed = 5000;

  clock(set: { offset: number }): EpochClock {
    return {
      elapsed: () => this.elapsed,
      now: () => START_MS + this.elapsed + set.offset,
    };
  }
}

class End {
  readonly set: { offset: number };
  readonly schedule: EpochSchedule;
  readonly clock: EpochClock;
  #lastSeal = 0;
  #lastOldest = 0;

  constructor(time: Time, offset: number, epoch = FIRST) {
    this.set = { offset };
    this.clock = time.clock(this.set);
    this.schedule = new EpochSchedule(
      { interval: INTERVAL, epoch },
      this.clock,
    );
    this.#lastOldest = epoch;
  }

  /** What holds at every moment, whatever has happened. */
  look(): { readonly seal: number; readonly opens: readonly number[] } {
    const oldest = this.schedule.oldest();
    const uses = this.schedule.wanted();
    const seal = sealOf(uses);
    const opens = uses.map(({ epoch }) => epoch);
    assert.equal(new Set(opens).size, opens.length, "each epoch once");
    assert.ok(opens.length <= 3);
    assert.ok(opens.every((epoch) => epoch >= oldest), "erased is erased");
    assert.ok(oldest >= this.#lastOldest, "and never comes back");
    const clock = Math.floor(this.clock.now() / 1000 / INTERVAL);
    assert.ok(seal >= clock, "nothing is sealed with a key that is over");
    const { confirmed = 0 } = this.schedule;
    assert.ok(seal >= confirmed);
    if (seal < this.#lastSeal) {
      assert.ok(this.#lastSeal - Math.max(clock, confirmed) > HEALING_DISTANCE);
    }
    this.#lastSeal = seal;
    this.#lastOldest = oldest;
    return { seal, opens };
  }

  receive(epoch: number): boolean {
    const isKnown = this.look().opens.includes(epoch);
    if (isKnown) {
      this.schedule.opened(epoch);
      return true;
    }
    this.schedule.refused();
    const isFound = this.schedule.trial().includes(epoch);
    if (isFound) this.schedule.opened(epoch);
    return isFound;
  }
}

function sealOf(uses: readonly EpochUse[]): number {
  const [{ epoch } = { epoch: -1 }, ...others] = uses
    .filter(({ role }) => role === "seal");
  assert.deepEqual(others, [], "one epoch seals");
  return epoch;
}

type Act = "left sends" | "right sends" | "silence";
const acts = fc.array(
  fc.tuple(
    fc.constantFrom<Act>("left sends", "right sends", "silence"),
    fc.integer({ min: 1, max: 120 }),
  ),
  { maxLength: 60 },
);

Deno.test("clocks that differ by less than the grace lose nothing", () => {
  const offset = fc.integer({ min: -GRACE_MS + 1, max: GRACE_MS - 1 });
  fc.assert(fc.property(offset, acts, (offset, acts) => {
    const time = new Time();
    const [left, right] = [
      new End(time, 20_000),
      new End(time, 20_000 + offset),
    ];
    for (const [act, steps] of acts) {
      for (let step = 0; step < steps; step++) {
        const [one, other] = [left.look(), right.look()];
        assert.ok(right.look().opens.includes(one.seal), "left to right");
        assert.ok(left.look().opens.includes(other.seal), "right to left");
        if (act === "left sends") assert.ok(right.receive(one.seal));
        if (act === "right sends") assert.ok(left.receive(other.seal));
        assert.deepEqual([left, right].map((end) => end.schedule.gap), [
          undefined,
          undefined,
        ]);
        time.elapsed += STEP_MS;
      }
    }
  }));
});

const jumps = fc.array(
  fc.record({
    end: fc.constantFrom("left", "right"),
    seconds: fc.integer({ min: -40 * INTERVAL, max: 40 * INTERVAL }),
    steps: fc.integer({ min: 0, max: 300 }),
  }),
  { minLength: 1, maxLength: 6 },
);

Deno.test("clocks that jump by up to 40 epochs heal within seconds", () => {
  fc.assert(
    fc.property(jumps, (jumps) => {
      const time = new Time();
      const ends = { left: new End(time, 0), right: new End(time, 0) };
      const { left, right } = ends;
      const exchange = (): boolean => {
        const there = right.receive(left.look().seal);
        const back = left.receive(right.look().seal);
        time.elapsed += STEP_MS;
        return there && back;
      };
      exchange();
      for (const { end, seconds, steps } of jumps) {
        for (let step = 0; step < steps; step++) exchange();
        // Not further apart than can be healed.
        const other = end === "left" ? "right" : "left";
        ends[end].set.offset = ends[other].set.offset + seconds * 1000;
        const rounds = 2 * HEALING_PATIENCE_MS / STEP_MS + 10;
        let isWell = false;
        for (let k = 0; k < rounds && !isWell; k++) isWell = exchange();
        assert.ok(isWell, `after a jump of ${seconds} s`);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("whatever the clocks do, no epoch comes back and none is sealed late", () => {
  const wild = fc.array(
    fc.tuple(
      fc.integer({ min: -1_000_000_000, max: 4_000_000_000 }),
      fc.integer({ min: 0, max: 20 }),
    ),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(wild, (wild) => {
      const time = new Time();
      const [left, right] = [new End(time, 0), new End(time, 0)];
      for (const [offset, steps] of wild) {
        left.set.offset = Math.max(offset, -time.elapsed);
        for (let step = 0; step < steps; step++) {
          // A clock beyond all bounds is not followed.
          if (left.schedule.isLost) left.set.offset = 0;
          right.receive(left.look().seal);
          left.receive(right.look().seal);
          time.elapsed += STEP_MS;
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a flood of garbage confirms nothing and erases nothing", () => {
  const time = new Time();
  const end = new End(time, 0);
  let trials = 0;
  for (let step = 0; step < 1000; step++) {
    end.schedule.refused();
    const tried = end.schedule.trial();
    assert.ok(tried.length <= HEALING_TRIALS);
    if (tried.length > 0) trials++;
    end.look();
    time.elapsed += 100;
  }
  assert.ok(trials <= 100, "one a second at most");
  assert.equal(end.schedule.confirmed, undefined);
  assert.equal(end.schedule.oldest(), FIRST);
});
