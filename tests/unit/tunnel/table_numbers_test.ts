import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { SenderIds, SPENT, STALE } from "../../../src/tunnel/numbers.ts";
import { reserveInThreads } from "../../fakes/native_rig_reservers.ts";
import type { Reservation } from "../../fakes/native_rig_reserver.ts";
import {
  epochOf,
  keysOf,
  MUX,
  newTable,
  putAt,
  RANGE,
} from "../../fakes/shared_table.ts";

const RECORD_BYTES = 576;
/** Fails unless the numbers follow on each other; returns the next one. */
function assertContiguous(
  begin: number,
  taken: readonly Reservation[],
): number {
  let next = begin;
  for (const { first, count } of taken.toSorted((a, b) => a.first - b.first)) {
    assert.equal(first, next);
    next += count;
  }
  return next;
}

/** Fails if a number was taken twice with one key, by whichever threads. */
function assertDisjoint(taken: readonly Reservation[]): void {
  for (const [epoch, ofEpoch] of Map.groupBy(taken, ({ epoch }) => epoch)) {
    assert.equal(new Set(ofEpoch.map(({ key }) => key)).size, 1, `${epoch}`);
  }
  for (const [key, ofKey] of Map.groupBy(taken, ({ key }) => key)) {
    let end = 0;
    for (
      const { first, count } of ofKey.toSorted((a, b) => a.first - b.first)
    ) {
      assert.ok(first >= end, `key ${key}: ${first} was taken twice`);
      end = first + count;
    }
  }
}

Deno.test("reserve() counts on, and stops where the numbers end", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(RANGE - 1),
        fc.integer({ min: RANGE - 300, max: RANGE - 1 }),
      ),
      fc.array(fc.integer({ min: 1, max: 92 }), { maxLength: 20 }),
      (firstSeq, counts) => {
        const table = newTable();
        putAt(table, firstSeq);
        const epoch = epochOf(table);
        let next = firstSeq;
        for (const count of counts) {
          const fits = next + count <= RANGE;
          const first = table.reserve(MUX, epoch, count);
          assert.equal(first, fits ? next : SPENT);
          next = fits ? next + count : RANGE;
        }
        assert.equal(table.nextSeq(MUX), next % RANGE);
        assert.equal(epochOf(table), epoch);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("with more sender ids the numbers go on, as many times as there are ids", () => {
  const table = newTable();
  const limit = 3 * RANGE;
  table.put(MUX, keysOf(), 0);
  for (let generation = 0; generation < 3; generation++) {
    const begin = generation * RANGE;
    table.put(MUX, keysOf(), RANGE / 2);
    table.put(MUX, keysOf(), RANGE - 1);
    const last = table.reserve(MUX, epochOf(table), 1, limit);
    assert.equal(last, begin + RANGE - 1);
    assert.equal(table.nextSeq(MUX), 0);
  }
  assert.equal(table.reserve(MUX, epochOf(table), 1, limit), SPENT);
  assert.equal(table.reserve(MUX, epochOf(table), 1, limit), SPENT);
});

Deno.test("the numbers of 256 sender ids end where the word does", () => {
  const table = newTable();
  const { limit } = new SenderIds(Array.from({ length: 256 }, (_, k) => k));
  const epoch = (table.put(MUX, keysOf(), 0), epochOf(table));
  const half = 128 * RANGE;
  for (const count of [half, half - 2]) table.reserve(MUX, epoch, count, limit);
  assert.equal(table.reserve(MUX, epoch, 1, limit), SPENT);
  table.put(MUX, keysOf(), RANGE / 2);
  assert.equal(table.reserve(MUX, epoch, 1, limit), SPENT);
  assert.equal(epochOf(table), epoch);
});

Deno.test("a key that comes back goes on above the numbers that it had", () => {
  const table = newTable();
  table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 100), 0);
  table.put(MUX, keysOf({ key: 2 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 7), 0);
  table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 1), 100);
  table.put(MUX, keysOf({ key: 2 }), 5);
  assert.equal(table.reserve(MUX, epochOf(table), 1), 7);
});

Deno.test("a connection that was removed goes on above the numbers that it had", () => {
  const table = newTable();
  table.put(MUX, keysOf(), 0);
  const before = epochOf(table);
  assert.equal(table.reserve(MUX, before, 100), 0);
  table.remove(MUX);
  for (const epoch of [before, epochOf(table)]) {
    assert.equal(table.reserve(MUX, epoch, 1), STALE);
  }
  assert.ok(table.accepts(MUX, keysOf(), RANGE / 2 + 100));
  assert.ok(!table.accepts(MUX, keysOf(), RANGE / 2 + 101));
  table.put(MUX, keysOf(), 5);
  assert.equal(table.reserve(MUX, before, 1), STALE);
  assert.equal(table.reserve(MUX, epochOf(table), 1), 100);
});

Deno.test("keys that come back have the fingerprint that they had, and others another", () => {
  const table = newTable();
  const hashed = new ConnectionTable(
    ConnectionTable.allocate(),
    new NumberSpaces({
      hash: (data) => String(data.reduce((a, b) => a * 31 + b)),
    }),
  );
  for (const own of [table, hashed]) {
    const fingerprints = [{}, { key: 2 }, { role: "right" }, { bytes: 0 }, {}]
      .map((given) => {
        own.put(MUX, keysOf(given as Parameters<typeof keysOf>[0]), 0);
        return own.held(MUX).sets[0]?.fingerprint;
      });
    assert.equal(new Set(fingerprints).size, 4);
    assert.equal(fingerprints[4], fingerprints[0]);
  }
});

Deno.test("where the connection that sends is removed, the next one goes on with its numbers", () => {
  const pointToPoint = new NumberSpaces({ headerMux: () => 3 });
  const table = new ConnectionTable(ConnectionTable.allocate(), pointToPoint);
  const take = (mux: number) => table.reserve(mux, epochOf(table, mux), 10);
  for (const mux of [5, 9, 7]) table.put(mux, keysOf(), 0);
  const version = table.version(7);
  assert.deepEqual([take(5), take(7), take(9)], [0, STALE, STALE]);
  table.remove(5);
  assert.deepEqual([take(7), take(9)], [10, STALE]);
  assert.equal(table.version(7), version, "its keys stay");
  table.remove(9);
  table.put(7, keysOf({ key: 2 }), 0);
  assert.equal(take(7), 0);
  table.put(9, keysOf(), 0);
  assert.equal(take(9), 20);
});

Deno.test("two connections with one key under one mux in the header do not share numbers", () => {
  const pointToPoint = new NumberSpaces({ headerMux: () => 3 });
  const table = new ConnectionTable(ConnectionTable.allocate(), pointToPoint);
  const take = (mux: number, epoch = epochOf(table, mux)) =>
    table.reserve(mux, epoch, 10);
  table.put(5, keysOf(), 0);
  assert.equal(take(5), 0);
  table.put(7, keysOf(), 0);
  assert.equal(
    take(7),
    STALE,
    "the one of the lowest mux is the one that sends",
  );
  const version = table.version(5);
  const epoch = epochOf(table, 5);
  table.put(2, keysOf(), 0);
  assert.equal(take(2), 10);
  assert.equal(take(5, epoch), STALE);
  assert.equal(table.version(5), version, "it is heard as before");
  assert.equal(table.nextSeq(5), 0);
  table.put(2, keysOf({ key: 9 }), 0);
  table.put(1, keysOf(), 0);
  assert.equal(take(1), 20);
});

Deno.test("a sequence number more than 2^31 ahead is not accepted, and changes nothing", () => {
  const table = newTable();
  assert.ok(!table.accepts(MUX, keysOf(), RANGE - 1));
  assert.throws(() => table.put(MUX, keysOf(), RANGE / 2 + 1), RangeError);
  assert.equal(table.exists(MUX), false);
  table.put(MUX, keysOf(), RANGE / 2);
  table.put(MUX, keysOf(), RANGE - 1);
  assert.equal(table.nextSeq(MUX), RANGE - 1);
  assert.ok(table.accepts(MUX, keysOf(), 0), "what is behind is no leap");
  assert.ok(!table.accepts(MUX, keysOf({ key: 2 }), RANGE - 1));
});

Deno.test("the next number follows this rule under any sequence of changes", () => {
  const put = fc.record({
    key: fc.constantFrom(1, 2),
    role: fc.constantFrom<"left" | "right">("left", "right"),
    windowSize: fc.constantFrom(0, 64),
    firstSeq: fc.oneof(fc.nat(200), fc.nat(RANGE / 2)),
  });
  const step = fc.oneof(put, fc.integer({ min: 1, max: 92 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = newTable();
      let keys = "";
      const nexts = new Map<string, number>();
      const epochs = new Set<number>();
      for (const step of steps) {
        if (typeof step === "number") {
          if (keys === "") continue;
          const next = nexts.get(keys) ?? 0;
          assert.equal(table.reserve(MUX, epochOf(table), step), next);
          nexts.set(keys, next + step);
          continue;
        }
        const before = keys === "" ? -1 : epochOf(table);
        table.put(MUX, keysOf(step), step.firstSeq);
        const given = `${step.key} ${step.role}`;
        // A key never goes back in one role, whatever there was meanwhile.
        nexts.set(given, Math.max(nexts.get(given) ?? 0, step.firstSeq));
        if (given !== keys) {
          assert.ok(!epochs.has(epochOf(table)), "an epoch was used again");
          assert.equal(table.reserve(MUX, before, 1), -1);
        } else assert.equal(epochOf(table), before);
        keys = given;
        epochs.add(epochOf(table));
        assert.equal(table.nextSeq(MUX), nexts.get(given));
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("threads that take numbers at once get each number once, across the turn of the sender id", async () => {
  const table = newTable();
  const first = RANGE - 50_000;
  putAt(table, first);
  const results = await reserveInThreads(table, MUX, {
    threads: 3,
    rounds: 20_000,
    most: 5,
    limit: 2 * RANGE,
  });
  const next = assertContiguous(first, results.flat());
  assert.equal(next, RANGE + 3 * 20_000 * 3 - 50_000);
  assert.equal(table.nextSeq(MUX), next - RANGE);
  const epochs = new Set(results.flat().map(({ epoch }) => epoch));
  assert.deepEqual([...epochs], [epochOf(table)]);
});

Deno.test("no number is taken twice while another thread raises the number and changes keys", async () => {
  const table = newTable();
  const wanted = 100;
  let epochs = 0;
  const changeKeys = () => {
    epochs++;
    table.put(MUX, keysOf({ key: 1 + epochs % 7 }), 0);
  };
  changeKeys();
  const results = await reserveInThreads(
    table,
    MUX,
    { threads: 3, rounds: 10_000, most: 92 },
    () => {
      const key = 1 + epochs % 7;
      for (const ahead of [0, -500, 100, -1, 1]) {
        const firstSeq = Math.max(0, table.nextSeq(MUX) + ahead);
        if (ahead === 1) table.remove(MUX);
        table.put(MUX, keysOf({ key }), firstSeq);
        assert.ok(table.nextSeq(MUX) >= firstSeq);
      }
      // So that numbers of each epoch are taken, however slow the threads are.
      if (table.nextSeq(MUX) > 10_000 * epochs / 7 && epochs < wanted) {
        changeKeys();
      }
      return epochs === wanted;
    },
  );
  assertDisjoint(results.flat());
  for (const own of results) {
    for (const ofEpoch of Map.groupBy(own, ({ epoch }) => epoch).values()) {
      const firsts = ofEpoch.map(({ first }) => first);
      assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b));
    }
  }
});

Deno.test("the place where used numbers are kept is asked while no record is locked", () => {
  const shared = ConnectionTable.allocate();
  const words = new Int32Array(shared.buffer);
  const asked: string[] = [];
  const ask = (what: string) => {
    // The first word of a record; a disk may take seconds, and threads wait.
    for (const mux of [MUX, MUX + 1]) {
      assert.equal(words[mux * RECORD_BYTES / 4], 0, what);
    }
    asked.push(what);
  };
  const spaces = new NumberSpaces({
    headerMux: () => MUX,
    store: {
      firstUnused: () => (ask("firstUnused"), 0),
      reserve: (requests) => {
        ask("reserve");
        return requests.map(({ from, count }) => {
          return { first: from, end: from + count };
        });
      },
      settle: () => (ask("settle"), true),
      forget: () => {},
    },
  });
  const table = new ConnectionTable(shared, spaces);
  table.put(MUX + 1, keysOf(), 0);
  table.keepNumbersAhead();
  table.put(MUX + 1, keysOf({ key: 2 }), 0, "keep");
  assert.equal(table.reserve(MUX + 1, epochOf(table, MUX + 1), 5), 0);
  table.put(MUX, keysOf({ key: 2 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 5), 5, "it goes on");
  table.remove(MUX);
  assert.equal(table.reserve(MUX + 1, epochOf(table, MUX + 1), 5), 10);
  table.settleNumbers();
  const all = ["firstUnused", "reserve", "settle"];
  assert.deepEqual(new Set(asked), new Set(all));
});

Deno.test("keys that come and go without a store fill no memory, and are not used anew", () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const keys = (k: number) => {
    const { secrets, ...others } = keysOf();
    const key = secrets.key.slice();
    new DataView(key.buffer).setUint32(0, k);
    return { ...others, secrets: { ...secrets, key } };
  };
  const changes = 70_000;
  const used = (k: number) => 1 + k % 100;
  for (let k = 0; k < changes; k++) {
    table.put(MUX, keys(k), 0);
    table.reserve(MUX, epochOf(table), used(k));
  }
  for (const k of [0, 49, 99, 12_345, changes - 2]) {
    table.put(MUX, keys(k), 0);
    const next = table.reserve(MUX, epochOf(table), 1);
    assert.ok(next >= used(k) && next <= 200, `${k}: ${next}`);
  }
  table.put(MUX, keys(changes), 0);
  const first = table.reserve(MUX, epochOf(table), 1);
  assert.ok(first > 0 && first < 100, "some are remembered as one");
});
