import assert from "node:assert/strict";
import { SEQ_RANGE } from "../../../src/satp/header.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import {
  folderTest,
  keptSpaces,
  keysOf,
  Life,
  MUX,
  useOfEvery,
} from "../../fakes/number_life.ts";

folderTest("after a clean end numbers go on where they ended", (path) => {
  const first = new Life(path).start();
  assert.equal(first.take(10), 0);
  assert.equal(first.take(5), 10);
  first.end();
  const second = new Life(path).start();
  assert.equal(second.take(), 15);
  second.end();
  assert.deepEqual([first.lines, second.lines], [[], []]);
});

for (
  const [much, next] of [["half", SEQ_RANGE / 2], ["all", SEQ_RANGE]] as const
) {
  folderTest(
    `a start says when crashes have used up ${much} of the numbers of its sender id`,
    (path) => {
      useOfEvery(path, 7, next);
      const life = new Life(path).start();
      assert.deepEqual(life.lines, [
        `WARNING: ${much} of the sequence numbers of sender id 7 are used up for ` +
        "all keys, as by crashes of the system (--state-dir): give another " +
        "--sender-id",
      ]);
      life.end();
      const other = new Life(path, { ids: [7, 8] }).start();
      assert.deepEqual(other.lines, [], "there is another one");
      other.end();
    },
  );
}

folderTest("the files hold no key, and nobody else can read them", (path) => {
  const life = new Life(path).start(0xa7);
  life.take(3);
  life.end();
  const files = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  assert.equal(files.length, 5);
  for (const name of files) {
    const status = Deno.statSync(`${path}/${name}`);
    assert.equal((status.mode ?? 0) & 0o777, 0o600);
    const text = Deno.readTextFileSync(`${path}/${name}`);
    assert.doesNotMatch(text, /a7a7|\xa7/i);
  }
});

folderTest("another key, role or mux has numbers of its own", (path) => {
  const first = new Life(path).start(1);
  first.take(10);
  first.end();
  const second = new Life(path).start(2);
  assert.equal(second.take(), 0);
  second.table.put(MUX, keysOf(1), 0);
  second.table.keepNumbersAhead();
  assert.equal(second.take(), 10);
  second.end();
});

folderTest(
  "keys that are replaced have numbers at once, and above those used before",
  (path) => {
    const first = new Life(path).start(2);
    first.take(10);
    first.end();
    const second = new Life(path).start(1);
    second.table.put(MUX, keysOf(2), 3);
    assert.equal(second.take(), 10);
    second.table.put(MUX, keysOf(1), 0);
    second.table.put(MUX, keysOf(2), 0);
    assert.equal(second.take(), 11);
    second.end();
  },
);

folderTest(
  "keys for which numbers are reserved ahead begin without the disk",
  (path) => {
    const first = new Life(path).start(1);
    const { table, mortal } = first;
    table.reserveAhead(MUX, keysOf(2));
    table.reserveAhead(MUX, keysOf(2));
    table.reserveAhead(MUX, keysOf(3));
    const before = mortal.steps;
    table.put(MUX, keysOf(2), 0, "keep");
    assert.equal(first.take(5), 0);
    assert.equal(mortal.steps, before);
    first.end();
    const second = new Life(path).start(2);
    assert.equal(second.take(), 5);
    second.end();
    const third = new Life(path).start(3);
    assert.equal(third.take(), 0, "reserved and never used");
    third.end();
  },
);

folderTest(
  "numbers of keys that never come back are kept no longer, but those in use are",
  (path) => {
    const first = new Life(path).start(1);
    for (const key of [2, 3, 4]) {
      first.take(key);
      first.table.put(MUX, keysOf(key), 0);
    }
    first.end();
    assert.equal(keptSpaces(path), 3);
    const life = new Life(path).start(1);
    const { table } = life;
    table.put(MUX, keysOf(2), 0);
    table.reserveAhead(MUX, keysOf(5));
    const names = [1, 2, 3, 5].map((k) => table.numbersName(MUX, keysOf(k)));
    table.forgetNumbers(names);
    assert.equal(keptSpaces(path), 1);
    assert.equal(life.take(), 3);
    life.end();
    assert.deepEqual([keptSpaces(path), life.lines], [1, []]);
  },
);

folderTest(
  "a sequence number that another member tells of is kept as well",
  (path) => {
    const first = new Life(path).start(1, 1_000_000);
    assert.equal(first.take(2), 1_000_000);
    first.table.put(MUX, keysOf(), 1_000_000_000);
    assert.equal(first.take(), -2, "not before it is kept");
    first.table.keepNumbersAhead();
    assert.equal(first.take(), 1_000_000_000);
    first.kill();
    const second = new Life(path).start();
    assert.equal(second.take(), 1_000_000_000 + BLOCK);
    second.kill();
  },
);

folderTest(
  "two daemons with the same key and sender id get different numbers",
  (path) => {
    const [one, other] = [new Life(path).start(), new Life(path).start()];
    assert.equal(one.take(), 0);
    assert.equal(other.take(), BLOCK);
    one.take(BLOCK - 1000);
    one.table.keepNumbersAhead();
    assert.equal(one.take(), 2 * BLOCK, "behind the block of the other one");
    one.end();
    other.end();
  },
);

folderTest(
  "common blocks of different sender ids do not overlap where they share one",
  (path) => {
    useOfEvery(path, 8, BLOCK / 2);
    const one = new Life(path, { ids: [7, 8], senders: 2 }).start();
    const other = new Life(path, { ids: [7] }).start();
    assert.equal(one.take(), BLOCK / 2);
    assert.equal(other.take(), BLOCK / 2 + BLOCK);
    one.end();
    other.end();
  },
);

folderTest(
  "sending ends with the last number, also beyond a restart",
  (path) => {
    const first = new Life(path).start(1, SEQ_RANGE / 2 - 1);
    first.table.put(MUX, keysOf(), SEQ_RANGE - 10);
    first.table.keepNumbersAhead();
    assert.equal(first.take(4), SEQ_RANGE - 10);
    first.end();
    const second = new Life(path).start();
    assert.equal(second.take(6), SEQ_RANGE - 6);
    assert.equal(second.take(), -2);
    assert.equal(second.table.isSpent(MUX, SEQ_RANGE), true);
    second.end();
    const third = new Life(path).start();
    assert.equal(third.take(), -2);
    assert.equal(third.table.isSpent(MUX, SEQ_RANGE), true);
    third.end();
  },
);

folderTest("with --allow-wrap it begins anew", (path) => {
  const options = { allowWrap: true };
  const first = new Life(path, options).start(1, SEQ_RANGE / 2 - 1);
  first.table.put(MUX, keysOf(), SEQ_RANGE - 10);
  first.table.keepNumbersAhead();
  assert.equal(first.take(10), SEQ_RANGE - 10);
  first.table.keepNumbersAhead();
  assert.equal(first.take(3) % SEQ_RANGE, 0);
  first.end();
  const second = new Life(path, options).start();
  assert.equal(second.take(), 3);
  second.end();
});

folderTest(
  "a start takes sender ids that no start before took, as long as there are some",
  (path) => {
    const first = new Life(path, { ids: [5, 9, 1, 2], senders: 2 });
    assert.deepEqual([...first.keeper.taken()], [5, 9]);
    first.end();
    const second = new Life(path, { ids: [4, 5], senders: 2 });
    assert.deepEqual([...second.keeper.taken()], [9, 4, 5]);
    second.end();
  },
);

folderTest(
  "a sender id that comes later is used above where it was left, too",
  (path) => {
    const first = new Life(path, { ids: [8] }).start(1);
    first.take(100);
    first.end();
    const second = new Life(path, { ids: [7, 8] });
    second.start(1, SEQ_RANGE / 2 - 1);
    second.table.put(MUX, keysOf(), SEQ_RANGE - 2);
    second.table.keepNumbersAhead();
    assert.equal(second.take(2), SEQ_RANGE - 2);
    second.table.keepNumbersAhead();
    assert.equal(second.take(), SEQ_RANGE + 100);
    second.end();
  },
);

folderTest(
  "behind a sender id that is used up the next one is used above where it was left, too",
  (path) => {
    useOfEvery(path, 8, SEQ_RANGE);
    const first = new Life(path, { ids: [9] }).start(1);
    assert.equal(first.take(100), 0);
    first.end();
    const second = new Life(path, { ids: [8, 9] }).start(1);
    assert.equal(second.take(), SEQ_RANGE + 100);
    second.start(2);
    assert.equal(second.take(), SEQ_RANGE);
    second.end();
  },
);

for (const how of ["end", "kill"] as const) {
  folderTest(
    `keys that go on with the next sender id have used up the one before (${how})`,
    (path) => {
      useOfEvery(path, 8, SEQ_RANGE - BLOCK);
      const first = new Life(path, { ids: [8, 9] }).start(1);
      assert.equal(first.take(BLOCK), SEQ_RANGE - BLOCK);
      first.table.keepNumbersAhead();
      assert.equal(first.take(100), SEQ_RANGE);
      first[how]();
      const second = new Life(path, { ids: [8, 9] }).start(1);
      assert.ok(second.take() >= SEQ_RANGE + 100);
      second.end();
    },
  );
}

folderTest(
  "thousands of connections, and new keys for all of them, have numbers without the disk",
  (path) => {
    const muxes = Array.from({ length: 3000 }, (_, k) => k);
    const run = (life: Life, from: number) => {
      const before = life.mortal.steps;
      for (const mux of muxes) life.table.put(mux, keysOf(mux), 0);
      life.table.keepNumbersAhead();
      for (const mux of muxes) assert.equal(life.take(mux, mux), from);
      for (const mux of muxes) life.table.put(mux, keysOf(mux + 1e6), 0);
      for (const mux of muxes) assert.equal(life.take(mux, mux), from);
      assert.equal(life.mortal.steps, before);
      life.end();
      assert.ok(life.mortal.steps - before < 64 * 8, "a file is written once");
    };
    run(new Life(path), 0);
    const second = new Life(path);
    for (const mux of muxes) second.table.put(mux, keysOf(mux + 1e6), 0);
    second.table.keepNumbersAhead();
    for (const mux of muxes) assert.equal(second.take(1, mux), mux);
    second.kill();
    assert.ok([...Deno.readDirSync(path)].length <= 64 + 4);
  },
);

folderTest(
  "keys that come and go fill no memory, and go on where they were left",
  (path) => {
    const life = new Life(path);
    const changes = 5000;
    for (let key = 1; key <= changes; key++) {
      life.start(key);
      life.take(key);
    }
    assert.ok(keptSpaces(path) >= 4096, "they are in the files");
    for (const key of [1, 77, 4090, 4999]) {
      life.start(key);
      assert.equal(life.take(), key);
    }
    life.end();
    assert.equal(keptSpaces(path), changes);
    const next = new Life(path);
    for (const key of [2, 5000]) assert.equal(next.start(key).take(), key);
    assert.equal(next.start(1).take(), 2);
    next.end();
    assert.deepEqual([...life.lines, ...next.lines], []);
  },
);
