import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ConnectionKeys,
  ConnectionTable,
  Notice,
} from "../../../src/tunnel/connection_table.ts";
import { CONNECTION_COUNTERS } from "../../../src/tunnel/counters.ts";
import {
  endpointText,
  epochOf,
  keysOf,
  MUX,
  newTable,
  setEndpoint,
} from "../../fakes/shared_table.ts";

const RECORD_BYTES = 576;
const LAST_MUX = 0xffff;

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
