import { strict as assert } from "node:assert";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type {
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../../../src/satp/engine.ts";
import { writeHeader, writeU16 } from "../../../src/satp/header.ts";
import { authenticateBatch, sealBatch } from "../../../src/satp/pipeline.ts";
import type { SatpParameters } from "../../../src/satp/params.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { Inbound } from "../../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { SPENT } from "../../../src/tunnel/numbers.ts";
import { HEADROOM_BYTES, Outbound } from "../../../src/tunnel/outbound.ts";
import { PacketRouter } from "../../../src/tunnel/packet_router.ts";
import { SILENT_INBOUND } from "../../fakes/silent_inbound.ts";

const PARAMS: SatpParameters = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "null",
  tagLength: 0,
};
const PACKET_BYTES = 20;
const SLOT_BYTES = 64;

/** Encrypts nothing, and refuses to once it is closed. */
class FakeMasterKey implements MasterKey {
  isClosed = false;

  encrypt(): void {
    assert.ok(!this.isClosed, "closed");
  }

  close(): void {
    this.isClosed = true;
  }
}

class FakeEngine implements SyncCryptoEngine {
  readonly name = "fake";
  readonly keys: FakeMasterKey[] = [];

  importMasterKey(): MasterKey {
    const key = new FakeMasterKey();
    this.keys.push(key);
    return key;
  }

  beginCipher(): Cipher {
    return { run() {}, flush() {} };
  }

  beginMac(): Mac {
    return { run() {}, flush() {} };
  }
}

/** One thread's view of one connection, and a batch for each direction. */
class Bench {
  readonly engine = new FakeEngine();
  readonly table: ConnectionTable;
  readonly counters = new Float64Array(PLANE_COUNTERS);
  readonly failures: unknown[] = [];
  now = 0;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly connections: Connections;

  constructor(table = new ConnectionTable(ConnectionTable.allocate())) {
    this.table = table;
    const connections = new Connections(this.table, this.engine);
    this.connections = connections;
    const batch = () => DatagramBatch.standalone(PARAMS, 4, SLOT_BYTES);
    const { counters } = this;
    const live = new LiveSettings();
    const shared = { connections, counters, live };
    const batchFailed = (error: unknown) => this.failures.push(error);
    this.inbound = new Inbound(batch(), {
      ...shared,
      now: () => this.now,
      moved() {},
      log: { ...SILENT_INBOUND, batchFailed },
    }, { deviceType: "tun", roaming: true, filter: undefined });
    this.outbound = new Outbound(batch(), {
      ...shared,
      log: {
        nowhereToSend() {},
        numbersLow() {},
        numbersSpent() {},
        batchFailed,
      },
    }, {
      deviceType: "tun",
      senderIds: [0],
      allowWrap: false,
      router: new PacketRouter(connections, 0, undefined),
    });
    this.table.endpoints.set(0, endpointWords().fill(4, 0, 1), 0);
  }

  put(key: number, windowSize?: number): void {
    this.table.put(0, keysOf(key, windowSize), 0);
  }

  /** Lays datagrams of these numbers into the batch, and classifies them. */
  classify(...numbers: readonly number[]): void {
    const { batch } = this.inbound;
    numbers.forEach((seq, i) => {
      const at = batch.at[i] ?? 0;
      writeHeader(batch.memory, at, seq, 0, 0);
      writeU16(batch.memory, at + HEADROOM_BYTES - 2, 0x0800);
    });
    batch.count = numbers.length;
    const size = HEADROOM_BYTES + PACKET_BYTES;
    this.inbound.classify(new Uint32Array(numbers.length).fill(size));
  }

  /** The rest of the way in; returns which datagrams are let through. */
  finish(): number[] {
    const { inbound, engine } = this;
    authenticateBatch(engine, inbound.batch, inbound.schedules);
    inbound.judge();
    inbound.unwrap();
    inbound.release();
    return [...inbound.batch.wanted.subarray(0, inbound.batch.count)];
  }

  /** Gives one packet its number and its keys. */
  address(): void {
    const { batch } = this.outbound;
    batch.count = 1;
    batch.memory[(batch.at[0] ?? 0) + HEADROOM_BYTES] = 0x45;
    this.outbound.address(Uint32Array.of(PACKET_BYTES));
  }
}

function keysOf(key: number, windowSize = 64): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(16).fill(key),
    salt: new Uint8Array(14),
  };
  return { role: "left", secrets, windowSize };
}

Deno.test("a batch on its way in goes on with the keys that it was classified with", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5, 6);
  bench.put(2);
  assert.ok(bench.connections.get(0));
  assert.equal(bench.engine.keys.length, 2);
  assert.deepEqual(bench.finish(), [1, 1]);
});

Deno.test("a batch on its way out is sealed with the keys that its numbers are of", () => {
  const bench = new Bench();
  bench.put(1);
  bench.address();
  bench.put(2);
  assert.ok(bench.connections.get(0));
  const { batch, schedules } = bench.outbound;
  sealBatch(bench.engine, batch, schedules);
  assert.equal(batch.wanted[0], 1);
});

Deno.test("old keys are closed as soon as the last batch with them is done", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5, 6);
  bench.address();
  bench.put(2);
  assert.ok(bench.connections.get(0));
  const [old, present] = bench.engine.keys;
  bench.finish();
  assert.equal(old?.isClosed, false, "the way out still has them");
  bench.outbound.release();
  assert.equal(old?.isClosed, true);
  assert.equal(present?.isClosed, false);
});

Deno.test("a datagram of old keys leaves no trace in the replay window of new ones", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(1_000_000);
  bench.put(2);
  assert.ok(bench.connections.get(0));
  assert.deepEqual(bench.finish(), [1]);
  bench.classify(0, 1);
  assert.deepEqual(bench.finish(), [1, 1]);
});

Deno.test("another window size under the same keys forgets nothing that was seen", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5, 6);
  assert.deepEqual(bench.finish(), [1, 1]);
  for (const size of [128, 64]) {
    bench.put(1, size);
    bench.classify(5, 6);
    assert.deepEqual(bench.finish(), [0, 0]);
  }
});

Deno.test("a removed connection is gone from the next batch on, and its keys when the last batch is done", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5, 6);
  bench.address();
  bench.table.remove(0);
  bench.connections.dropRetired();
  assert.deepEqual(bench.finish(), [1, 1], "the batch in work is the last");
  const [key] = bench.engine.keys;
  assert.equal(key?.isClosed, false, "the way out still has it");
  bench.outbound.release();
  assert.equal(key?.isClosed, true);
  bench.classify(7);
  assert.deepEqual([...bench.inbound.batch.wanted.subarray(0, 1)], [0]);
  assert.equal(bench.counters[PlaneCounter.UNKNOWN_MUX], 1);
  bench.address();
  assert.equal(bench.counters[PlaneCounter.NOWHERE_TO_SEND], 1);
  assert.equal(bench.engine.keys.length, 1);
});

Deno.test("of many connections whose keys are out of use a part at a time is looked at, and in the end all", () => {
  const bench = new Bench();
  const { table, connections, engine } = bench;
  const count = 2000;
  const putAll = (key: number) => {
    for (let mux = 0; mux < count; mux++) table.put(mux, keysOf(key), 0);
  };
  putAll(1);
  for (let mux = 0; mux < count; mux++) assert.ok(connections.get(mux));
  putAll(2);
  const closed = () => engine.keys.filter(({ isClosed }) => isClosed).length;
  let parts = 0;
  do {
    const before = closed();
    connections.dropSomeRetired();
    assert.ok(closed() - before <= 512, "packets wait meanwhile");
    // What comes in the middle is looked at as well.
    if (parts++ === 3) table.put(0, keysOf(3), 0);
  } while (connections.hasRetired);
  assert.ok(parts >= count / 512);
  assert.equal(closed(), count);
  connections.dropSomeRetired();
  assert.equal(connections.hasRetired, false);
  table.remove(1999);
  connections.dropRetired();
  assert.equal(connections.get(1999), undefined);
});

Deno.test("keys out of use are closed without a packet that asks for them", () => {
  const bench = new Bench();
  bench.put(1);
  assert.ok(bench.connections.get(0));
  bench.put(1, 128);
  bench.connections.dropRetired();
  assert.equal(bench.engine.keys[0]?.isClosed, false, "the keys stay");
  bench.put(2);
  bench.connections.dropRetired();
  assert.equal(bench.engine.keys[0]?.isClosed, true);
  assert.equal(bench.engine.keys.length, 1, "others are not taken unasked");
  assert.ok(bench.connections.get(0)?.keys);
  bench.table.remove(0);
  bench.connections.dropRetired();
  assert.equal(bench.engine.keys[1]?.isClosed, true);
  assert.equal(bench.connections.get(0), undefined);
});

for (const noticed of [true, false]) {
  const when = noticed ? "after a look" : "before anybody looks";
  Deno.test(`keys that were removed and come back ${when} let no recording through`, () => {
    const bench = new Bench();
    const look = () => noticed && bench.connections.dropRetired();
    bench.put(1);
    bench.classify(5, 6);
    assert.deepEqual(bench.finish(), [1, 1]);
    bench.table.remove(0);
    look();
    bench.put(1, 128);
    bench.classify(5, 6, 7);
    assert.deepEqual(bench.finish(), [0, 0, 1]);
    bench.put(2);
    look();
    bench.classify(5);
    assert.deepEqual(bench.finish(), [1], "other keys have other recordings");
    bench.put(1);
    bench.classify(5, 7, 8);
    assert.deepEqual(bench.finish(), [0, 0, 1]);
  });
}

Deno.test("what a batch in work is let through under keys that come back is known to those", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(4);
  bench.finish();
  bench.classify(5);
  bench.table.remove(0);
  bench.connections.dropRetired();
  bench.put(1, 128);
  assert.ok(bench.connections.get(0));
  assert.deepEqual(bench.finish(), [1]);
  bench.classify(5);
  assert.deepEqual(bench.finish(), [0]);
});

Deno.test("the first thing that a batch in work is let through is known to keys that come back", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5);
  bench.table.remove(0);
  bench.connections.dropRetired();
  bench.put(1);
  assert.ok(bench.connections.get(0));
  assert.deepEqual(bench.finish(), [1]);
  bench.classify(5);
  assert.deepEqual(bench.finish(), [0]);
});

Deno.test("a batch in work from before a removal is no sign of the peer that came after", () => {
  const bench = new Bench();
  bench.now = 7;
  bench.put(1);
  bench.classify(5);
  bench.table.remove(0);
  bench.connections.dropRetired();
  bench.put(2);
  assert.deepEqual(bench.finish(), [1]);
  assert.equal(bench.table.lastHeard(0), undefined);
  bench.classify(5);
  bench.finish();
  assert.equal(bench.table.lastHeard(0), 7);
});

/** A table whose keys change just before numbers are taken. */
class ChangingTable extends ConnectionTable {
  change: (() => void) | undefined;

  override reserve(...args: Parameters<ConnectionTable["reserve"]>): number {
    const { change } = this;
    this.change = undefined;
    change?.();
    return super.reserve(...args);
  }
}

for (const old of ["drop", "keep"] as const) {
  Deno.test(`packets whose keys change between looking and taking go out under the new ones (${old})`, () => {
    const table = new ChangingTable(ConnectionTable.allocate());
    const bench = new Bench(table);
    bench.put(1);
    table.change = () => table.put(0, keysOf(2), 0, old);
    bench.address();
    const { batch, schedules } = bench.outbound;
    assert.equal(batch.wanted[0], 1);
    assert.equal(schedules[0]?.master, bench.engine.keys[1]);
    assert.equal(bench.counters[PlaneCounter.NOWHERE_TO_SEND], 0);
    bench.outbound.release();
  });
}

/** Counts how often somebody looks closely at a connection. */
class WatchedTable extends ConnectionTable {
  looks = 0;

  override exists(mux: number): boolean {
    this.looks++;
    return super.exists(mux);
  }
}

Deno.test("for one connection that is removed not all the others are looked at closely", () => {
  const table = new WatchedTable(ConnectionTable.allocate());
  const { connections } = new Bench(table);
  for (let mux = 0; mux < 100; mux++) {
    table.put(mux, keysOf(mux), 0);
    assert.ok(connections.get(mux));
  }
  table.remove(50);
  table.looks = 0;
  connections.dropRetired();
  assert.equal(table.looks, 1);
});

/** Has another thread look after each step of a change that it may see. */
function lookingAtEachStep(look: () => void, change: () => void): void {
  const { add } = Atomics;
  const lookAfter = (words: Int32Array, index: number, value: number) => {
    const before = add(words, index, value);
    look();
    return before;
  };
  Atomics.add = lookAfter as typeof add;
  try {
    change();
  } finally {
    Atomics.add = add;
  }
}

Deno.test("keys out of use are closed wherever in the change a thread looks", () => {
  const { connections, engine, table } = new Bench();
  for (
    const change of [() => table.put(0, keysOf(2), 0), () => table.remove(0)]
  ) {
    table.put(0, keysOf(1), 0);
    assert.ok(connections.get(0));
    lookingAtEachStep(() => connections.dropRetired(), change);
    connections.dropRetired();
    assert.equal(engine.keys.at(-1)?.isClosed, true);
  }
});

/** A table whose connection is removed while a thread copies its keys. */
class TornTable extends ConnectionTable {
  removeWithin = false;

  override held(mux: number) {
    if (this.removeWithin) this.remove(mux);
    return super.held(mux);
  }
}

Deno.test("a connection that is removed while its keys are copied leaves no keys of nothing", () => {
  const table = new TornTable(ConnectionTable.allocate());
  const bench = new Bench(table);
  bench.put(1);
  table.removeWithin = true;
  assert.equal(bench.connections.get(0), undefined);
  assert.equal(bench.engine.keys.length, 0);
});

Deno.test("a batch that fails is counted and dropped, and its keys are let go", () => {
  const bench = new Bench();
  bench.put(1);
  bench.classify(5, 6);
  const failure = new Error("broken");
  bench.inbound.fail(failure);
  bench.inbound.release();
  assert.deepEqual([...bench.inbound.batch.wanted.subarray(0, 2)], [0, 0]);
  assert.equal(bench.counters[PlaneCounter.INTERNAL_ERROR], 2);
  assert.deepEqual(bench.failures, [failure]);
  bench.put(2);
  assert.ok(bench.connections.get(0));
  assert.equal(bench.engine.keys[0]?.isClosed, true);
});

/** A table that a thread takes numbers from in the middle of a change. */
class HesitantTable extends ConnectionTable {
  change: (() => void) | undefined;

  override reserve(...args: Parameters<ConnectionTable["reserve"]>): number {
    const { change } = this;
    if (change === undefined) return super.reserve(...args);
    this.change = undefined;
    change();
    return SPENT;
  }
}

Deno.test("packets that find no numbers within a change go out when it is made", () => {
  const table = new HesitantTable(ConnectionTable.allocate());
  const bench = new Bench(table);
  bench.put(1);
  table.change = () => bench.put(2);
  bench.address();
  bench.outbound.release();
  assert.equal(bench.counters[PlaneCounter.OUT_OF_NUMBERS], 0);
  assert.equal(table.counters.of(0)[ConnectionCounter.PACKETS_OUT], 1);
});
