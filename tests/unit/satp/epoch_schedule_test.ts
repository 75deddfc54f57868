import assert from "node:assert/strict";
import {
  EpochSchedule,
  HEALING_PATIENCE_MS,
} from "../../../src/satp/epoch_schedule.ts";
import { MAX_AHEAD } from "../../../src/satp/key_chain.ts";

const INTERVAL = 3600;
const GRACE = 60;
const FIRST = 500;

/** A schedule whose clock stands so many seconds after the epoch's start. */
function setUp({ interval = INTERVAL, epoch = FIRST, at = 100 } = {}) {
  const time = { elapsed: 0, offset: (FIRST * interval + at) * 1000 };
  const schedule = new EpochSchedule({ interval, epoch }, {
    elapsed: () => time.elapsed,
    now: () => time.elapsed + time.offset,
  });
  const uses = () =>
    schedule.wanted().map(({ epoch, role }) => `${role} ${epoch - FIRST}`);
  const pass = (seconds: number) => {
    time.elapsed += seconds * 1000;
  };
  const set = (seconds: number) => {
    time.offset += seconds * 1000;
  };
  return { schedule, uses, pass, set };
}

Deno.test("within an epoch its key alone is of use", () => {
  const { uses, schedule } = setUp();
  assert.deepEqual(uses(), ["seal 0"]);
  schedule.opened(FIRST);
  assert.deepEqual(uses(), ["seal 0"]);
});

Deno.test("around the end of an epoch both keys open", () => {
  const { uses, pass, schedule } = setUp({ at: 3000 });
  schedule.opened(FIRST);
  pass(600 - GRACE - 1);
  assert.deepEqual(uses(), ["seal 0"]);
  pass(1);
  assert.deepEqual(uses(), ["seal 0", "open 1"]);
  pass(GRACE);
  assert.deepEqual(uses(), ["seal 1", "open 0"]);
  schedule.opened(FIRST + 1);
  assert.deepEqual(uses(), ["seal 1", "open 0"]);
  pass(GRACE);
  assert.deepEqual(uses(), ["seal 1"]);
});

Deno.test("the grace is a quarter of a short interval", () => {
  const { uses, pass } = setUp({ interval: 60, at: 44 });
  assert.deepEqual(uses(), ["seal 0"]);
  pass(1);
  assert.deepEqual(uses(), ["seal 0", "open 1"]);
});

Deno.test("a peer that is heard in the next epoch is followed at once", () => {
  const { uses, schedule } = setUp({ at: INTERVAL - 30 });
  schedule.opened(FIRST);
  schedule.opened(FIRST + 1);
  assert.equal(uses()[0], "seal 1");
  assert.equal(schedule.gap, undefined);
});

Deno.test("older keys go when an epoch is confirmed and its grace is over", () => {
  const { pass, schedule } = setUp({ at: INTERVAL - 1 });
  schedule.opened(FIRST);
  pass(2);
  pass(10 * GRACE);
  assert.equal(schedule.oldest(), FIRST, "nothing is confirmed yet");
  schedule.opened(FIRST + 1);
  pass(GRACE - 1);
  assert.equal(schedule.oldest(), FIRST);
  pass(1);
  assert.equal(schedule.oldest(), FIRST + 1);
});

Deno.test("a clock that is far behind keeps old keys for twice the grace", () => {
  const { pass, schedule } = setUp();
  schedule.opened(FIRST);
  schedule.opened(FIRST + 20);
  pass(2 * GRACE - 1);
  assert.equal(schedule.oldest(), FIRST);
  pass(1);
  assert.equal(schedule.oldest(), FIRST + 20);
});

Deno.test("a clock that is behind the file's epoch uses the file's epoch", () => {
  const { uses, schedule } = setUp({ epoch: FIRST + 3 });
  assert.equal(uses()[0], "seal 3");
  schedule.opened(FIRST + 3);
  assert.deepEqual(schedule.gap, {
    seconds: 3 * INTERVAL - 100,
    isOwn: true,
  });
});

Deno.test("a clock that jumps ahead erases nothing", () => {
  const { uses, set, schedule } = setUp();
  schedule.opened(FIRST);
  set(5 * INTERVAL);
  assert.deepEqual(uses(), ["seal 5", "open 0"]);
  schedule.opened(FIRST);
  assert.deepEqual(schedule.gap, {
    seconds: -(4 * INTERVAL + 100),
    isOwn: true,
  });
  assert.equal(schedule.oldest(), FIRST);
});

Deno.test("who was in an epoch that no peer can reach goes back", () => {
  const { uses, set } = setUp();
  set(48 * INTERVAL);
  assert.deepEqual(uses(), ["seal 48"]);
  set(-48 * INTERVAL);
  assert.equal(uses()[0], "seal 48", "a peer may have followed");
  set(1000 * INTERVAL);
  assert.equal(uses()[0], "seal 1000");
  set(-1000 * INTERVAL);
  assert.deepEqual(uses(), ["seal 0"]);
});

Deno.test("a clock beyond all bounds is not followed", () => {
  const { uses, set, schedule } = setUp();
  set(MAX_AHEAD * INTERVAL);
  assert.equal(schedule.isLost, false);
  set(INTERVAL);
  assert.equal(schedule.isLost, true);
  assert.deepEqual(uses(), ["seal 0", "open 1"], "the peer's is");
});

Deno.test("a peer whose clock is ahead is expected early from then on", () => {
  const { uses, schedule } = setUp({ at: 10 });
  schedule.opened(FIRST + 1);
  assert.deepEqual(schedule.gap, { seconds: INTERVAL - 10, isOwn: false });
  assert.deepEqual(uses(), ["seal 1", "open 2", "open 0"]);
});

Deno.test("after long refusal one datagram a second is tried on 48 epochs", () => {
  const { pass, schedule } = setUp();
  schedule.opened(FIRST);
  schedule.refused();
  pass(HEALING_PATIENCE_MS / 1000 - 1);
  assert.deepEqual(schedule.trial(), [], "not yet");
  pass(1);
  const epochs = schedule.trial();
  assert.equal(epochs.length, 48);
  assert.deepEqual(epochs.slice(0, 2), [FIRST + 1, FIRST + 2]);
  assert.equal(epochs.at(-1), FIRST + 48);
  assert.deepEqual(schedule.trial(), [], "one a second");
  pass(1);
  assert.equal(schedule.trial().length, 48);
  schedule.opened(FIRST + 9);
  pass(1);
  assert.deepEqual(schedule.trial(), [], "it is healed");
  assert.equal(schedule.wanted()[0]?.epoch, FIRST + 9);
});

Deno.test("a host whose clock was ahead at its start finds the peer before", () => {
  const { pass, schedule } = setUp({ epoch: FIRST - 10 });
  schedule.refused();
  pass(HEALING_PATIENCE_MS / 1000);
  const epochs = schedule.trial();
  assert.deepEqual(epochs.slice(0, 3), [FIRST - 1, FIRST + 1, FIRST - 2]);
  assert.equal(Math.min(...epochs), FIRST - 10, "the file's is the first");
  schedule.opened(FIRST - 2);
  assert.deepEqual(schedule.wanted()[1], { epoch: FIRST - 2, role: "open" });
});

Deno.test("where nothing was heard for long, a peer is found as far ahead as behind", () => {
  const { pass, schedule } = setUp({ epoch: FIRST - 1000 });
  schedule.refused();
  pass(HEALING_PATIENCE_MS / 1000);
  const near = schedule.trial();
  pass(1);
  const far = schedule.trial();
  pass(1);
  assert.deepEqual(schedule.trial(), near);
  assert.deepEqual(near.slice(0, 2), [FIRST - 1, FIRST + 1]);
  assert.deepEqual([near, far].map(({ length }) => length), [48, 48]);
  assert.equal(Math.max(...far), FIRST + 48);
  assert.equal(Math.min(...far), FIRST - 48);
});

Deno.test("what a peer sealed just before it came late to an epoch still opens", () => {
  const { uses, pass, schedule } = setUp({ at: INTERVAL - 10 });
  schedule.opened(FIRST);
  pass(20 * GRACE);
  assert.deepEqual(uses(), ["seal 1", "open 0"], "its clock is behind");
  schedule.opened(FIRST + 1);
  assert.deepEqual(uses(), ["seal 1", "open 0"]);
  pass(GRACE);
  assert.deepEqual(uses(), ["seal 1"]);
});
