import assert from "node:assert/strict";
import {
  type ConnectionKeys,
  ConnectionTable,
} from "../../../src/tunnel/connection_table.ts";
import {
  type LockPatience,
  patience,
} from "../../../src/tunnel/record_lock.ts";
import { reserveInThreads } from "../../fakes/native_rig_reservers.ts";
import { epochOf, keysOf, MUX, newTable } from "../../fakes/shared_table.ts";

const RECORD_BYTES = 576;
function impatientTable(waitsOn: LockPatience): ConnectionTable {
  const shared = ConnectionTable.allocate();
  return new ConnectionTable(shared, undefined, undefined, waitsOn);
}

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
