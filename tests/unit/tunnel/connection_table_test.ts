import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
} from "../../../src/net/endpoint.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
  Notice,
} from "../../../src/tunnel/connection_table.ts";
import { CONNECTION_COUNTERS } from "../../../src/tunnel/counters.ts";
import {
  readEndpoint,
  writeEndpoint,
} from "../../../src/tunnel/endpoint_words.ts";
import type { HeldKeys } from "../../../src/tunnel/key_sets.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { SenderIds, SPENT, STALE } from "../../../src/tunnel/numbers.ts";
import {
  type LockPatience,
  patience,
} from "../../../src/tunnel/record_lock.ts";
import { reserveInThreads } from "../../fakes/native_rig_reservers.ts";
import type { Reservation } from "../../fakes/native_rig_reserver.ts";

const RANGE = 2 ** 32;
const MUX = 7;
const RECORD_BYTES = 576;
const LAST_MUX = 0xffff;

function keysOf(
  { key = 1, role = "left", windowSize = 0, bytes = 16 }: {
    readonly key?: number;
    readonly role?: "left" | "right";
    readonly windowSize?: number;
    readonly bytes?: number;
  } = {},
): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(bytes).fill(key),
    salt: new Uint8Array(bytes === 0 ? 0 : 14).fill(key + 1),
  };
  return { role, secrets, windowSize };
}

function newTable(): ConnectionTable {
  return new ConnectionTable(ConnectionTable.allocate());
}

function impatientTable(waitsOn: LockPatience): ConnectionTable {
  const shared = ConnectionTable.allocate();
  return new ConnectionTable(shared, undefined, undefined, waitsOn);
}

function epochOf(table: ConnectionTable, mux = MUX): number {
  return table.keys(mux).epoch;
}

function setEndpoint(
  table: ConnectionTable,
  mux: number,
  text: string,
): boolean {
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint(text));
  return table.endpoints.set(mux, words, 0);
}

function endpointText(table: ConnectionTable, mux: number): string | undefined {
  const words = endpointWords();
  table.endpoints.copy(mux, words, 0);
  const endpoint: Endpoint | undefined = readEndpoint(words, 0);
  return endpoint && formatEndpoint(endpoint);
}

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

/** Makes a connection whose next sequence number is far from 0. */
function putAt(table: ConnectionTable, seq: number): void {
  for (const step of [seq - RANGE / 2, seq]) {
    if (step >= 0) table.put(MUX, keysOf(), step);
  }
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

Deno.test("a new table has no connection", () => {
  const table = newTable();
  for (const mux of [0, MUX, LAST_MUX]) {
    assert.equal(table.exists(mux), false);
    assert.equal(table.version(mux), 0);
  }
  assert.equal(table.lowestMux(), -1);
});

Deno.test("keys() returns what put() was given, and keeps the neighbours apart", () => {
  const connection = fc.record({
    key: fc.integer({ min: 1, max: 250 }),
    role: fc.constantFrom<"left" | "right">("left", "right"),
    windowSize: fc.nat(1 << 20),
    bytes: fc.constantFrom(0, 16, 24, 32),
  });
  const muxes = [0, 1, 2, LAST_MUX - 1, LAST_MUX];
  const table = newTable();
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.constantFrom(...muxes), connection), { minLength: 1 }),
    (changes) => {
      const model = new Map<number, ConnectionKeys>();
      for (const [mux, given] of changes) {
        table.put(mux, keysOf(given), 0);
        model.set(mux, keysOf(given));
      }
      for (const [mux, keys] of model) {
        const { epoch: _, ...found } = table.keys(mux);
        assert.deepEqual(found, keys);
      }
    },
  ));
});

Deno.test("keys() gives copies: wiping them leaves the table as it is", () => {
  const table = newTable();
  table.put(MUX, keysOf(), 0);
  table.keys(MUX).secrets.key.fill(0);
  assert.deepEqual(table.keys(MUX).secrets, keysOf().secrets);
});

Deno.test("another view of the same memory sees the same connections", () => {
  const table = newTable();
  const other = new ConnectionTable(table.shared);
  table.put(MUX, keysOf(), 5);
  setEndpoint(table, MUX, "192.0.2.1:4444");
  assert.deepEqual(other.keys(MUX), table.keys(MUX));
  assert.equal(other.nextSeq(MUX), 5);
  assert.equal(other.version(MUX), table.version(MUX));
  assert.equal(endpointText(other, MUX), "192.0.2.1:4444");
});

Deno.test("the lowest mux is that of the connections that exist", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(LAST_MUX), { minLength: 1, maxLength: 8 }),
      (muxes) => {
        const table = newTable();
        setEndpoint(table, 0, "192.0.2.1:1");
        for (const mux of muxes) table.put(mux, keysOf(), 0);
        assert.equal(table.lowestMux(), Math.min(...muxes));
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("live muxes are those that were put and not removed since, and the lowest is the first", () => {
  const mux = fc.oneof(
    fc.constantFrom(0, 1, 31, 32, 33, LAST_MUX),
    fc.nat(LAST_MUX),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), mux), { maxLength: 20 }),
      (steps) => {
        const table = newTable();
        const live = new Set<number>();
        for (const [add, mux] of steps) {
          if (add) {
            table.put(mux, keysOf(), 0);
            live.add(mux);
          } else assert.equal(table.remove(mux), live.delete(mux));
          const sorted = [...live].toSorted((a, b) => a - b);
          assert.deepEqual(table.liveMuxes(), sorted);
          assert.equal(table.lowestMux(), sorted[0] ?? -1);
          assert.equal(table.exists(mux), add);
        }
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("what a removed connection had is overwritten, but for its counters", () => {
  const table = newTable();
  const record = new Uint8Array(table.shared.buffer).subarray(
    MUX * RECORD_BYTES,
    (MUX + 1) * RECORD_BYTES,
  );
  const { secrets, ...keys } = keysOf({ windowSize: 0xa5a5 });
  for (const bytes of Object.values(secrets)) bytes.fill(0xa5);
  table.put(MUX, { ...keys, secrets }, 0);
  setEndpoint(table, MUX, "165.165.165.165:42405");
  table.counters.of(MUX)[3] = 7;
  assert.ok(record.includes(0xa5));
  const { version, retirements } = {
    version: table.version(MUX),
    retirements: table.retirements,
  };
  assert.equal(table.remove(MUX), true);
  assert.equal(record.includes(0xa5), false);
  assert.deepEqual(table.held(MUX).sets, []);
  assert.equal(endpointText(table, MUX), undefined);
  assert.equal(table.counters.of(MUX)[3], 7, "counters never go back");
  assert.notEqual(table.version(MUX), version);
  assert.notEqual(table.retirements, retirements);
  assert.equal(table.remove(MUX), false);
});

Deno.test("what several threads count of a connection is added up, and each counts for itself", () => {
  const table = newTable();
  const threads = [
    table,
    ...[table.counters.addThread(), table.counters.addThread()].map((own) =>
      new ConnectionTable(table.shared, undefined, own)
    ),
  ];
  threads.forEach((thread, k) => {
    for (const mux of [0, MUX, 0xffff]) {
      thread.counters.of(mux)[3] = 10 ** k * (mux + 1);
    }
  });
  for (const mux of [0, MUX, 0xffff]) {
    assert.equal(table.counters.sum(mux)[3], 111 * (mux + 1));
    assert.equal(table.counters.sum(mux)[2], 0);
  }
  assert.equal(table.counters.sum(1)[3], 0);
});

Deno.test("retirements move when keys are taken out of use, and not otherwise", () => {
  const table = newTable();
  const moves = (change: () => void): boolean => {
    const before = table.retirements;
    change();
    return table.retirements !== before;
  };
  assert.equal(moves(() => table.put(MUX, keysOf(), 0)), false);
  assert.equal(
    moves(() => table.put(MUX, keysOf({ windowSize: 8 }), 9)),
    false,
  );
  assert.equal(moves(() => setEndpoint(table, MUX, "192.0.2.1:1")), false);
  assert.equal(moves(() => table.put(MUX, keysOf({ key: 2 }), 0)), true);
  assert.equal(
    moves(() => table.put(MUX, keysOf({ key: 2, role: "right" }), 0)),
    true,
  );
  assert.equal(moves(() => table.remove(MUX)), true);
  assert.equal(moves(() => table.remove(MUX)), false);
});

/** The keys that are held, by their first bytes. */
function heldKeys(table: ConnectionTable): Map<number, HeldKeys> {
  const { sets } = table.held(MUX);
  return new Map(sets.map((keys) => [keys.secrets.key[0] ?? -1, keys]));
}

Deno.test("keys keep their name as long as they are held, and it never comes back", () => {
  const table = newTable();
  const first = table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.sealing(MUX), first);
  const second = table.addOpening(MUX, keysOf({ key: 2 })) ?? 0;
  assert.equal(table.addOpening(MUX, keysOf({ key: 2 })), second);
  assert.equal(table.put(MUX, keysOf({ key: 2 }), 0, "keep"), second);
  assert.equal(table.sealing(MUX), second);
  assert.equal(heldKeys(table).get(1)?.name, first);
  assert.equal(heldKeys(table).get(2)?.name, second);
  assert.equal(table.put(MUX, keysOf({ key: 1 }), 0, "keep"), first);
  assert.equal(table.dropOpening(MUX, first), false, "they seal");
  assert.equal(table.dropOpening(MUX, second), true);
  assert.equal(table.dropOpening(MUX, second), false);
  assert.equal(table.dropOpening(MUX, 0), false);
  const names = [first, second];
  for (const role of ["left", "right"] as const) {
    names.push(table.addOpening(MUX, keysOf({ key: 2, role })) ?? 0);
  }
  table.remove(MUX);
  assert.equal(table.sealing(MUX), undefined);
  assert.equal(table.addOpening(MUX, keysOf()), undefined);
  names.push(table.put(MUX, keysOf({ key: 1 }), 0));
  assert.equal(new Set(names).size, names.length);
});

Deno.test("keys that are put for good take all others with them, also where they seal already", () => {
  const table = newTable();
  const held = () => [...heldKeys(table).keys()];
  table.put(MUX, keysOf({ key: 1 }), 0);
  table.addOpening(MUX, keysOf({ key: 2 }));
  table.put(MUX, keysOf({ key: 1, windowSize: 8 }), 9, "keep");
  assert.deepEqual(held(), [1, 2]);
  const before = table.retirements;
  table.put(MUX, keysOf({ key: 1, windowSize: 8 }), 9);
  assert.deepEqual(held(), [1]);
  assert.notEqual(table.retirements, before, "there are copies to wipe");
  table.put(MUX, keysOf({ key: 3 }), 0);
  assert.deepEqual(held(), [3]);
});

Deno.test("keys rank as they have their turn, and those that seal again come last", () => {
  const table = newTable();
  const order = () => {
    const ranked = [...heldKeys(table)].toSorted(([, a], [, b]) =>
      a.rank - b.rank
    );
    return ranked.map(([key]) => key);
  };
  table.put(MUX, keysOf({ key: 5 }), 0);
  table.addOpening(MUX, keysOf({ key: 6 }));
  table.addOpening(MUX, keysOf({ key: 4 }), "before");
  table.addOpening(MUX, keysOf({ key: 3 }), "before");
  assert.deepEqual(order(), [3, 4, 5, 6]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  assert.deepEqual(order(), [3, 4, 5, 6], "they were ahead of their turn");
  table.put(MUX, keysOf({ key: 7 }), 0, "keep");
  assert.deepEqual(order(), [4, 5, 6, 7]);
  table.put(MUX, keysOf({ key: 4 }), 0, "keep");
  assert.deepEqual(order(), [5, 6, 7, 4]);
  table.dropOpening(MUX, table.addOpening(MUX, keysOf({ key: 5 })) ?? 0);
  table.addOpening(MUX, keysOf({ key: 9 }), "before");
  assert.deepEqual(order(), [6, 7, 9, 4]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  table.addOpening(MUX, keysOf({ key: 4 }));
  assert.deepEqual(order(), [7, 9, 4, 6], "what is held keeps its rank");
});

Deno.test("of more keys than there is room for the oldest go, but those that seal stay", () => {
  const table = newTable();
  const before = table.retirements;
  table.put(MUX, keysOf({ key: 1 }), 0);
  for (const key of [2, 3, 4]) table.addOpening(MUX, keysOf({ key }));
  assert.equal(table.retirements, before);
  table.addOpening(MUX, keysOf({ key: 5 }));
  assert.notEqual(table.retirements, before);
  const held = () => [...heldKeys(table).keys()].toSorted();
  assert.deepEqual(held(), [1, 3, 4, 5]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  assert.deepEqual(held(), [1, 4, 5, 6]);
  table.put(MUX, keysOf({ key: 7 }), 0, "keep");
  assert.deepEqual(held(), [4, 5, 6, 7]);
});

Deno.test("numbers go on for keys that were for opening only meanwhile", () => {
  const table = newTable();
  table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 100), 0);
  const old = epochOf(table);
  table.put(MUX, keysOf({ key: 2 }), 0, "keep");
  assert.equal(table.reserve(MUX, old, 1), STALE);
  assert.equal(table.reserve(MUX, epochOf(table), 5), 0);
  table.put(MUX, keysOf({ key: 1 }), 0, "keep");
  assert.equal(table.reserve(MUX, epochOf(table), 1), 100);
});

Deno.test("keys that are dropped are overwritten, and nothing is noted for others in their place", () => {
  const table = newTable();
  const record = new Uint8Array(table.shared.buffer).subarray(
    MUX * RECORD_BYTES,
    (MUX + 1) * RECORD_BYTES,
  );
  table.put(MUX, keysOf({ key: 1 }), 0);
  const old = table.addOpening(MUX, keysOf({ key: 0xa5 })) ?? 0;
  table.noteOpened(MUX, old, 7.5);
  assert.equal(table.lastOpened(MUX, old), 7.5);
  assert.ok(record.includes(0xa5) && record.includes(0xa6));
  table.dropOpening(MUX, old);
  assert.ok(!record.includes(0xa5) && !record.includes(0xa6));
  const present = table.addOpening(MUX, keysOf({ key: 3 })) ?? 0;
  table.noteOpened(MUX, old, 8.5);
  assert.equal(table.lastOpened(MUX, present), undefined);
  assert.equal(table.lastOpened(MUX, old), undefined);
  const { fingerprint } = heldKeys(table).get(3) ?? {};
  assert.ok(fingerprint);
  table.put(MUX, keysOf({ key: 3 }), 0);
  assert.equal(heldKeys(table).get(3)?.fingerprint, fingerprint);
});

Deno.test("a peer is followed only under the keys that it was heard with", () => {
  const table = newTable();
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint("192.0.2.1:4444"));
  table.put(MUX, keysOf(), 0);
  const name = table.sealing(MUX) ?? 0;
  assert.equal(table.endpoints.follow(MUX, name, words, 0), true);
  assert.equal(endpointText(table, MUX), "192.0.2.1:4444");
  table.remove(MUX);
  assert.equal(table.endpoints.follow(MUX, name, words, 0), false);
  assert.equal(
    table.endpoints.follow(MUX, table.sealing(MUX) ?? 0, words, 0),
    false,
  );
  table.put(MUX, keysOf(), 0);
  assert.equal(table.endpoints.follow(MUX, name, words, 0), false);
  assert.equal(endpointText(table, MUX), undefined);
});

Deno.test("every change moves the version; asking moves nothing", () => {
  const table = newTable();
  const versions = [
    () => table.put(MUX, keysOf(), 0),
    () => table.put(MUX, keysOf({ windowSize: 8 }), 0),
    () => setEndpoint(table, MUX, "192.0.2.1:4444"),
    () => setEndpoint(table, MUX, "192.0.2.1:4445"),
  ].map((change) => {
    change();
    return table.version(MUX);
  });
  assert.equal(new Set([0, ...versions]).size, 5);
  const before = table.version(MUX);
  table.keys(MUX);
  endpointText(table, MUX);
  table.reserve(MUX, epochOf(table), 1);
  assert.equal(setEndpoint(table, MUX, "192.0.2.1:4445"), false);
  assert.equal(table.version(MUX), before);
});

Deno.test("endpoints come back as they were set", () => {
  const table = newTable();
  const texts = [
    "192.0.2.255:65535",
    "0.0.0.0:0",
    "[2001:db8::ff00:1]:1",
    "[fe80::1%3]:4444",
  ];
  for (const text of texts) {
    assert.equal(setEndpoint(table, MUX, text), true);
    assert.equal(endpointText(table, MUX), text);
  }
});

Deno.test("counters of neighbours do not overlap", () => {
  const table = newTable();
  for (const mux of [0, 1, LAST_MUX - 1, LAST_MUX]) {
    table.put(mux, keysOf(), mux);
    table.counters.of(mux).fill(mux + 0.5);
  }
  for (const mux of [0, 1, LAST_MUX - 1, LAST_MUX]) {
    const expected = new Float64Array(CONNECTION_COUNTERS).fill(mux + 0.5);
    assert.deepEqual(table.counters.of(mux), expected);
    assert.equal(table.nextSeq(mux), mux);
    assert.deepEqual(table.keys(mux).secrets, keysOf().secrets);
  }
  assert.equal(table.lowestMux(), 0);
});

Deno.test("a connection was heard when its thread says so, and anew when it is made anew", () => {
  const table = newTable();
  for (const mux of [MUX, LAST_MUX]) table.put(mux, keysOf(), 0);
  table.counters.of(MUX).fill(9);
  assert.equal(table.lastHeard(MUX), undefined);
  table.noteHeard(MUX, 1.5);
  table.noteHeard(LAST_MUX, 2 ** 41 + 0.25);
  table.put(MUX, keysOf({ key: 2 }), 0);
  const other = new ConnectionTable(table.shared);
  assert.equal(other.lastHeard(MUX), 1.5);
  assert.equal(other.lastHeard(LAST_MUX), 2 ** 41 + 0.25);
  assert.equal(other.lastHeard(MUX - 1), undefined);
  table.remove(MUX);
  table.put(MUX, keysOf(), 0);
  assert.equal(table.lastHeard(MUX), undefined);
});

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

Deno.test("a notice is given once for each epoch, whichever view asks", () => {
  const table = newTable();
  const views = [table, new ConnectionTable(table.shared)];
  for (const key of [1, 2, 1]) {
    table.put(MUX, keysOf({ key }), 0);
    const epoch = epochOf(table);
    for (const notice of Object.values(Notice)) {
      const told = [...views, ...views].filter((view) =>
        view.firstNotice(MUX, epoch, notice)
      );
      assert.equal(told.length, 1);
    }
  }
  assert.deepEqual(table.keys(MUX).secrets, keysOf({ key: 1 }).secrets);
  assert.deepEqual(
    [...table.counters.of(MUX)],
    new Array(CONNECTION_COUNTERS).fill(0),
  );
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

Deno.test("a lock that a dead thread has left behind stops nobody for ever", () => {
  const table = impatientTable((_, waited) => waited < 2000);
  table.put(MUX, keysOf(), 0);
  const before = table.version(MUX);
  const lock = new Int32Array(table.shared.buffer);
  Atomics.store(lock, MUX * RECORD_BYTES / 4, 1);
  const message = "Cannot use the connection of mux 7: another thread has " +
    "held it for 2000 ms";
  assert.throws(() => table.keys(MUX), { message });
  assert.equal(table.version(MUX), before);
  // The other connections, and numbers, are within reach all the same.
  table.put(MUX + 1, keysOf(), 0);
  assert.equal(table.reserve(MUX + 1, epochOf(table, MUX + 1), 1), 0);
});

Deno.test("a lock that is held for seconds is waited for, and that is told once", () => {
  const told: number[] = [];
  let isStopped = false;
  const waitsOn = patience((mux) => told.push(mux), () => isStopped);
  let slow = 0;
  const table = impatientTable((mux, waited) => {
    slow = waited;
    // Whoever had it goes on.
    if (waited === 2500) Atomics.store(lock, MUX * RECORD_BYTES / 4, 0);
    return waitsOn(mux, waited);
  });
  const lock = new Int32Array(table.shared.buffer);
  table.put(MUX, keysOf(), 0);
  table.reserve(MUX, epochOf(table), 5);
  Atomics.store(lock, MUX * RECORD_BYTES / 4, 1);
  assert.equal(table.keys(MUX).windowSize, 0);
  assert.equal(slow, 2500);
  assert.deepEqual(told, [MUX]);
  assert.equal(table.nextSeq(MUX), 5);
  isStopped = true;
  Atomics.store(lock, MUX * RECORD_BYTES / 4, 1);
  assert.throws(() => table.keys(MUX), /has held it for 100 ms/);
});

Deno.test("without a word that stops it a thread waits for a minute", () => {
  const waitsOn = patience(() => {});
  assert.ok(waitsOn(MUX, 59_900));
  assert.ok(!waitsOn(MUX, 60_000));
});

Deno.test("a lock that is given back late is waited for", async () => {
  const table = newTable();
  table.put(MUX, keysOf(), 0);
  const lock = new Int32Array(table.shared.buffer);
  Atomics.store(lock, MUX * RECORD_BYTES / 4, 1);
  const waiting = reserveInThreads(table, MUX, {
    threads: 2,
    rounds: 10,
    most: 1,
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  Atomics.store(lock, MUX * RECORD_BYTES / 4, 0);
  assert.equal((await waiting).flat().length, 20);
});

Deno.test("a change that fails gives the lock back", () => {
  const table = newTable();
  const broken: ConnectionKeys = {
    role: "left",
    secrets: {
      get key(): Uint8Array<ArrayBuffer> {
        throw new Error("no key");
      },
      salt: new Uint8Array(14),
    },
    windowSize: 0,
  };
  assert.throws(() => table.put(MUX, broken, 0), { message: "no key" });
  table.put(MUX, keysOf(), 3);
  assert.equal(table.nextSeq(MUX), 3);
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
