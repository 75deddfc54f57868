import assert from "node:assert/strict";
import { SEQ_RANGE } from "../../../src/satp/header.ts";
import { bootIdOf } from "../../../src/state/boot_id.ts";
import { MOST_LENT } from "../../../src/state/lent_spaces.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { Killed, MortalLibc, type Step } from "../../fakes/mortal_libc.ts";
import {
  folderTest,
  keysOf,
  Life,
  type LifeOptions,
  MUX,
  Sender,
  Used,
  useOfEvery,
} from "../../fakes/number_life.ts";

/** @returns The steps of the start that could change something. */
function startAfterKill(
  mortal: MortalLibc,
  spoil: (before: number) => void,
): readonly Step[] {
  const path = Deno.makeTempDirSync();
  const used = new Map<string, Used>();
  const first = new Sender(mortal, path, [7]).begin();
  first.send("AA", 10, used);
  first.kill();
  const next = new Sender(mortal, path, [7]);
  const { steps: before, changes } = mortal;
  changes.length = 0;
  spoil(before);
  try {
    next.begin();
    for (const space of ["AB", "AA"]) next.send(space, 10, used);
    next.settle(["AB", "AA"]);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  const done = changes.map(({ call, step }) => ({ call, step: step - before }));
  next.kill();
  const last = new Sender(mortal, path, [7]).begin();
  for (const space of ["AA", "AB"]) {
    assert.ok(last.send(space, 10, used) !== undefined);
  }
  assert.ok((last.send("b", 10, used) ?? Infinity) <= BLOCK);
  last.kill();
  Deno.removeSync(path, { recursive: true });
  return done;
}

folderTest(
  "after a kill numbers go on above all that were used, and no more than a block above",
  (path) => {
    const first = new Life(path).start();
    assert.equal(first.take(10), 0);
    first.kill();
    const second = new Life(path).start();
    assert.equal(second.take(), BLOCK);
    second.kill();
  },
);

folderTest(
  "kills use up numbers of the keys that had some, and of no others",
  (path) => {
    for (let start = 0; start < 10; start++) {
      const life = new Life(path).start(1);
      assert.equal(life.take(10), start * BLOCK);
      life.kill();
      new Life(path).kill();
    }
    const other = new Life(path).start(2);
    assert.equal(other.take(), 0);
    other.start(1);
    assert.equal(other.take(), 10 * BLOCK);
    other.end();
    assert.deepEqual(other.lines, []);
  },
);

folderTest(
  "an end after a start that failed forgets nothing of a process that was killed",
  (path) => {
    const killed = new Life(path).start(1);
    killed.take(10);
    killed.kill();
    const failed = new Life(path, {}, (libc) => libc.fails = () => true);
    failed.mortal.fails = () => false;
    failed.end();
    const next = new Life(path).start(1);
    assert.equal(next.take(), BLOCK);
    next.end();
  },
);

folderTest(
  "of two daemons that are killed or end in turns none climbs",
  (path) => {
    let [one, other] = [new Life(path), new Life(path)];
    for (let turn = 0; turn < 6; turn++) {
      one.start(1).take(10);
      if (turn % 2 === 0) one.kill();
      else one.end();
      [one, other] = [other, new Life(path)];
    }
    const used = new Used();
    for (const life of [one, other]) {
      life.start(2);
      const first = life.take(10);
      assert.ok(first <= BLOCK);
      used.add(first, first + 10);
      life.end();
    }
  },
);

for (
  const [what, spoil] of [
    ["the system crashed", () => ({ bootId: bootIdOf("b008") })],
    ["the list of the keys in use is gone", (path) => {
      Deno.removeSync(`${path}/lent-0`);
      return {};
    }],
    ["the list of the keys in use is damaged", (path) => {
      Deno.writeTextFileSync(`${path}/lent-0`, "x".repeat(1e6));
      return {};
    }],
  ] satisfies [string, (path: string) => LifeOptions][]
) {
  folderTest(
    `after a kill a block is lost for all keys where ${what}`,
    (path) => {
      const life = new Life(path).start(1);
      life.take(10);
      life.kill();
      const next = new Life(path, spoil(path)).start(1);
      assert.equal(next.take(), BLOCK);
      next.start(2);
      assert.equal(next.take(), BLOCK);
      next.end();
    },
  );
}

folderTest(
  "after a kill with more keys than are listed a block is lost for all of them",
  (path) => {
    const life = new Life(path);
    for (let mux = 0; mux <= MOST_LENT; mux++) {
      life.table.put(mux, keysOf(mux), 0);
    }
    life.table.keepNumbersAhead();
    life.kill();
    const next = new Life(path).start(9999);
    assert.equal(next.take(), BLOCK);
    next.end();
  },
);

folderTest(
  "with --allow-wrap keys go on where they were when crashes have used up those of all keys",
  (path) => {
    const options = { allowWrap: true };
    const first = new Life(path, options).start(1, SEQ_RANGE / 2 - 1);
    first.take(10);
    first.end();
    useOfEvery(path, 7, SEQ_RANGE);
    const next = new Life(path, options).start(1);
    assert.equal(next.take(), SEQ_RANGE / 2 + 9);
    next.start(2);
    assert.equal(next.take(), 0);
    assert.deepEqual(next.lines, [
      "WARNING: all of the sequence numbers of sender id 7 are used up for all " +
      "keys, as by crashes of the system (--state-dir): with --allow-wrap " +
      "they begin anew",
    ]);
    next.end();
  },
);

for (const how of ["the process is killed before", "there is no room for"]) {
  Deno.test(`if ${how} any one step of the second block, no number is used twice`, () => {
    for (let bad = 0, steps = Infinity; bad < steps; bad++) {
      const path = Deno.makeTempDirSync();
      const used = new Used();
      const takeFrom = (life: Life) => {
        for (let k = 0; k < 12; k++) {
          const first = life.take(BLOCK / 4);
          if (first >= 0) used.add(first, first + BLOCK / 4);
          life.table.keepNumbersAhead();
        }
      };
      const life = new Life(path).start();
      const { mortal } = life;
      const before = mortal.steps;
      const isBad = (step: number) => step === before + bad;
      if (how.startsWith("there")) mortal.fails = isBad;
      else mortal.killAt = before + bad;
      try {
        takeFrom(life);
        steps = mortal.steps - before;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        mortal.killAt = Infinity;
        // What the threads that send still do before they are gone.
        const first = life.take(BLOCK / 8);
        if (first >= 0) used.add(first, first + BLOCK / 8);
      }
      life.kill();
      const next = new Life(path).start();
      takeFrom(next);
      next.kill();
      Deno.removeSync(path, { recursive: true });
      assert.ok(bad < 500);
    }
  });
}

for (const how of ["the process is killed before", "there is no room for"]) {
  Deno.test(`if ${how} any one step of a start after a kill, no number is used twice`, () => {
    using mortal = new MortalLibc();
    const isKill = how.startsWith("the process");
    const steps = startAfterKill(mortal, () => {})
      // It does nothing that the next start could see.
      .filter(({ call }) => !isKill || call !== "fsync");
    assert.ok(steps.length > 20 && steps.length < 100);
    for (const { step } of steps) {
      startAfterKill(mortal, (before) => {
        if (isKill) mortal.killAt = before + step;
        else mortal.fails = (it) => it === before + step;
      });
    }
  });
}

folderTest("numbers that wrap turn in a circle for ever", (path) => {
  const life = new Life(path, { allowWrap: true }).start();
  const seen = new Set<number>();
  for (let turn = 0; turn < 400; turn++) {
    life.table.put(MUX, keysOf(), SEQ_RANGE / 2 - 1);
    life.table.keepNumbersAhead();
    life.table.put(MUX, keysOf(), SEQ_RANGE - 1);
    life.table.keepNumbersAhead();
    const last = life.take();
    assert.equal(last % SEQ_RANGE, SEQ_RANGE - 1);
    life.table.keepNumbersAhead();
    const next = life.take();
    assert.equal(next % SEQ_RANGE, 0);
    seen.add(Math.floor(next / SEQ_RANGE));
  }
  assert.ok(Math.max(...seen) > 150 && Math.max(...seen) <= 192);
  life.end();
});
