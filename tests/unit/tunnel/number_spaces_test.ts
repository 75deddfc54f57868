import assert from "node:assert/strict";
import type {
  NumberRequest,
  NumberStore,
} from "../../../src/state/number_store.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
} from "../../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { SPENT, STALE } from "../../../src/tunnel/numbers.ts";
import { openReserve } from "../../../src/tunnel/reserve.ts";

const MUX = 3;
const BLOCK = 1000;

function keysOf(number: number): ConnectionKeys {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, number);
  const secrets = { key, salt: new Uint8Array(14) };
  return { role: "left", secrets, windowSize: 0 };
}

/** Reserves what it is asked for. */
function generousStore(
  settle: NumberStore["settle"],
): NumberStore & { readonly requests: NumberRequest[] } {
  const requests: NumberRequest[] = [];
  return {
    requests,
    firstUnused: () => 0,
    reserve: (wanted) => {
      requests.push(...wanted);
      return wanted.map(({ from }) => ({ first: from, end: from + BLOCK }));
    },
    settle,
    forget: () => {},
  };
}

Deno.test("what could not be given back is not used, since a part of it may have been", () => {
  let tries = 0;
  const store = generousStore(() => (tries++, false));
  const spaces = new NumberSpaces({ store });
  const table = new ConnectionTable(ConnectionTable.allocate(), spaces);
  const take = (count: number) => table.reserve(MUX, table.epoch(MUX), count);
  table.put(MUX, keysOf(0), 0);
  table.keepNumbersAhead();
  assert.equal(take(5), 0);
  for (let k = 1; tries === 0; k++) table.put(MUX, keysOf(k), 0);
  store.requests.length = 0;
  table.put(MUX, keysOf(0), 0);
  assert.equal(take(1), SPENT);
  table.keepNumbersAhead();
  assert.equal(store.requests[0]?.from, 5);
  assert.equal(take(1), 5);
});

Deno.test("who has looked at the ceiling before the end gets no number after it", () => {
  const settled: number[] = [];
  const store = generousStore((unused) => {
    settled.push(...unused.map(({ next }) => next));
    return true;
  });
  const spaces = new NumberSpaces({ store });
  const table = new ConnectionTable(ConnectionTable.allocate(), spaces);
  table.put(MUX, keysOf(0), 0);
  table.keepNumbersAhead();
  const epoch = table.epoch(MUX);
  assert.equal(table.reserve(MUX, epoch, 5), 0);
  table.settleNumbers();
  // What a thread does behind its look at the ceiling.
  const number = (MUX * 128 + 2) * Uint32Array.BYTES_PER_ELEMENT;
  const late = openReserve(table.shared)(number, epoch, 1, BLOCK);
  assert.deepEqual([settled, late], [[5], STALE]);
});

Deno.test("threads see it whole when numbers move on behind what others have reserved", () => {
  let end = 0;
  const store: NumberStore = {
    ...generousStore(() => true),
    reserve: (wanted) =>
      wanted.map(({ from }) => {
        const first = Math.max(from, end) + BLOCK;
        return { first, end: end = first + BLOCK };
      }),
  };
  const spaces = new NumberSpaces({ store });
  const table = new ConnectionTable(ConnectionTable.allocate(), spaces);
  table.put(MUX, keysOf(0), 0);
  table.keepNumbersAhead();
  assert.equal(table.reserve(MUX, table.epoch(MUX), BLOCK - 1), BLOCK);
  const before = table.settledVersion(MUX);
  table.keepNumbersAhead();
  assert.equal(table.reserve(MUX, table.epoch(MUX), 1), 3 * BLOCK);
  assert.notEqual(table.settledVersion(MUX), before);
});

Deno.test("that the store refuses numbers is known for as long as it does and they are wanted", () => {
  const store = generousStore(() => true);
  let isFull = false;
  const spaces = new NumberSpaces({
    store: {
      ...store,
      reserve: (wanted) =>
        isFull ? wanted.map(() => undefined) : store.reserve(wanted),
    },
  });
  const table = new ConnectionTable(ConnectionTable.allocate(), spaces);
  const areRefused = () => {
    table.keepNumbersAhead();
    return table.numbersAreRefused;
  };
  isFull = true;
  assert.equal(areRefused(), false, "nobody wants any");
  table.put(MUX, keysOf(0), 0);
  assert.equal(areRefused(), true);
  isFull = false;
  assert.equal(areRefused(), false);
  isFull = true;
  assert.equal(areRefused(), false, "there are enough");
  table.reserve(MUX, table.epoch(MUX), BLOCK);
  assert.equal(areRefused(), true);
  table.remove(MUX);
  assert.equal(areRefused(), false, "nobody wants any more");
});
