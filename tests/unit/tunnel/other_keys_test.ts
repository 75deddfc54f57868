import { strict as assert } from "node:assert";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type {
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../../../src/satp/engine.ts";
import { writeHeader, writeU16 } from "../../../src/satp/header.ts";
import { authenticateBatch } from "../../../src/satp/pipeline.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
  PlaneCounter,
} from "../../../src/tunnel/counters.ts";
import { Inbound } from "../../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { HEADROOM_BYTES } from "../../../src/tunnel/outbound.ts";
import { paramsOf } from "../../vectors/satp.ts";
import { SILENT_INBOUND } from "../../fakes/silent_inbound.ts";

const PARAMS = paramsOf({
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
});
const CAPACITY = 92;
const SIZE = HEADROOM_BYTES + 40 + PARAMS.tagLength;
const GARBAGE = 0xee;

/** A tag is the first byte of the master key, ten times. */
class CountingEngine implements SyncCryptoEngine {
  readonly name = "counting";
  tags = 0;
  failsAt = Infinity;
  readonly closed: number[] = [];

  importMasterKey([first = 0]: Uint8Array): MasterKey {
    return {
      encrypt: (memory, at, blocks) => {
        memory.fill(first, at, at + 16 * blocks);
      },
      close: () => void this.closed.push(first),
    };
  }

  beginCipher(): Cipher {
    return { run() {}, flush() {} };
  }

  beginMac(memory: Uint8Array<ArrayBuffer>): Mac {
    return {
      run: (keyAt, _at, _size, macAt) => {
        if (++this.tags >= this.failsAt) throw new Error("out of order");
        memory.fill(memory[keyAt] ?? 0, macAt, macAt + 20);
      },
      flush() {},
    };
  }
}

interface Sent {
  readonly key: number;
  readonly seq: number;
}

class Receiver {
  readonly engine = new CountingEngine();
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly connections = new Connections(this.table, this.engine);
  readonly inbound: Inbound;
  readonly planeCounters = new Float64Array(PLANE_COUNTERS);
  now = 0;

  constructor() {
    const batch = DatagramBatch.standalone(PARAMS, CAPACITY, 256);
    this.inbound = new Inbound(batch, {
      connections: this.connections,
      counters: this.planeCounters,
      live: new LiveSettings(),
      log: { ...SILENT_INBOUND, batchFailed() {} },
      moved() {},
      now: () => this.now,
    }, { deviceType: "tun", roaming: true, filter: undefined });
  }

  put(
    key: number,
    old: "drop" | "keep" = "keep",
    mux = 0,
    windowSize = 64,
  ): number {
    return this.table.put(mux, { ...keysOf(key), windowSize }, 0, old);
  }

  /** @returns How many passed, and how many tags were made for that */
  receive(datagrams: readonly Sent[]): { passed: number; tags: number } {
    const { inbound, engine } = this;
    const { batch } = inbound;
    engine.tags = 0;
    datagrams.forEach(({ key, seq }, i) => {
      const at = batch.startOf(i);
      writeHeader(batch.memory, at, seq, 0, 0);
      writeU16(batch.memory, at + HEADROOM_BYTES - 2, 0x0800);
      batch.memory.fill(key, at + SIZE - PARAMS.tagLength, at + SIZE);
    });
    batch.count = datagrams.length;
    try {
      inbound.classify(new Uint32Array(datagrams.length).fill(SIZE));
      do authenticateBatch(engine, batch, inbound.schedules); while (
        inbound.retry()
      );
      inbound.judge();
    } catch (error) {
      inbound.fail(error);
    } finally {
      inbound.release();
    }
    const wanted = batch.wanted.subarray(0, batch.count);
    return { passed: wanted.filter((w) => w === 1).length, tags: engine.tags };
  }

  count(counter: number): number {
    return this.table.counters.of(0)[counter] ?? 0;
  }
}

function keysOf(key: number) {
  const secrets = {
    key: new Uint8Array(16).fill(key),
    salt: new Uint8Array(14),
  };
  return { role: "left", secrets } as const;
}

function sent(key: number, first: number, count: number): Sent[] {
  return Array.from({ length: count }, (_, k) => ({ key, seq: first + k }));
}

Deno.test("without other keys garbage costs one tag", () => {
  const receiver = new Receiver();
  receiver.put(1);
  const garbage = sent(GARBAGE, 0, CAPACITY);
  assert.deepEqual(receiver.receive(garbage), { passed: 0, tags: CAPACITY });
  assert.equal(receiver.count(ConnectionCounter.WRONG_TAG), CAPACITY);
});

Deno.test("with other keys a batch of garbage costs a sample for each of them", () => {
  const receiver = new Receiver();
  receiver.put(1);
  const garbage = sent(GARBAGE, 0, CAPACITY);
  for (const more of [1, 2, 3]) {
    receiver.table.addOpening(0, keysOf(1 + more));
    for (let k = 0; k < 3; k++) {
      const tags = CAPACITY + more * 16;
      assert.deepEqual(receiver.receive(garbage), { passed: 0, tags });
    }
  }
  const { WRONG_TAG } = ConnectionCounter;
  assert.equal(receiver.count(WRONG_TAG), 9 * CAPACITY, "each counts once");
});

Deno.test("where the sample is opened all are, and those keys come first from then on", () => {
  const receiver = new Receiver();
  receiver.put(1);
  receiver.table.addOpening(0, keysOf(2));
  receiver.table.addOpening(0, keysOf(3));
  assert.deepEqual(
    receiver.receive(sent(3, 0, CAPACITY)),
    { passed: CAPACITY, tags: 2 * CAPACITY + 16 },
  );
  assert.deepEqual(
    receiver.receive(sent(3, 100, CAPACITY)),
    { passed: CAPACITY, tags: CAPACITY },
  );
  const all = [...sent(1, 0, 30), ...sent(2, 0, 30), ...sent(3, 200, 30)];
  assert.equal(receiver.receive(all).passed, 90);
});

Deno.test("keys that have opened something lately are tried with all, and later with a sample", () => {
  const receiver = new Receiver();
  receiver.put(1);
  assert.equal(receiver.receive(sent(1, 0, 4)).passed, 4);
  receiver.put(2);
  assert.equal(receiver.receive(sent(2, 0, 4)).passed, 4);
  const garbage = sent(GARBAGE, 0, 60);
  const mixed = [...garbage, ...sent(1, 4, 1), ...sent(2, 4, 1)];
  assert.deepEqual(receiver.receive(mixed), { passed: 2, tags: 62 + 61 });
  receiver.now = 2000;
  receiver.receive([]);
  assert.deepEqual(receiver.receive(garbage), { passed: 0, tags: 60 + 16 });
});

Deno.test("recordings of the keys before do not come first by being sent again", () => {
  const receiver = new Receiver();
  receiver.put(1);
  const recorded = sent(1, 0, 4);
  receiver.receive(recorded);
  receiver.put(2);
  assert.equal(receiver.receive(sent(2, 0, 4)).passed, 4);
  assert.equal(receiver.receive(recorded).passed, 0);
  assert.equal(receiver.count(ConnectionCounter.REPLAYED), 4);
  assert.deepEqual(receiver.receive(sent(2, 4, 4)), { passed: 4, tags: 4 });
});

Deno.test("numbers that begin anew with other keys pass a flood of recordings", () => {
  const receiver = new Receiver();
  receiver.put(1);
  const recorded = sent(1, 0, 40);
  for (let k = 0; k < 3; k++) receiver.receive(recorded);
  assert.equal(receiver.receive(recorded).tags, 0);
  receiver.put(2);
  assert.equal(receiver.receive([...recorded, ...sent(2, 0, 20)]).passed, 20);
});

Deno.test("what fails in a second attempt is lost and counted, what the first one opened as well", () => {
  const receiver = new Receiver();
  receiver.put(1);
  receiver.put(2);
  const all = [...sent(1, 0, 5), ...sent(2, 0, 5)];
  receiver.engine.failsAt = 12;
  assert.equal(receiver.receive(all).passed, 0);
  assert.equal(receiver.planeCounters[PlaneCounter.INTERNAL_ERROR], 10);
  receiver.engine.failsAt = Infinity;
  assert.equal(
    receiver.receive(all).passed,
    10,
    "the next batch is not spoilt",
  );
});

Deno.test("keys that are dropped are wiped when no batch has them, the others are not taken anew", () => {
  const receiver = new Receiver();
  const { connections, engine, inbound, table } = receiver;
  const first = receiver.put(1);
  const second = receiver.put(2);
  receiver.receive(sent(1, 0, 1));
  inbound.batch.count = 1;
  inbound.classify(new Uint32Array(1).fill(SIZE));
  const before = connections.get(0)?.sets.find(({ name }) => name === second);
  assert.equal(table.dropOpening(0, first), true);
  connections.dropRetired();
  assert.deepEqual(engine.closed, [], "a batch may try them yet");
  inbound.release();
  assert.deepEqual(engine.closed, [1]);
  assert.deepEqual(connections.get(0)?.sets, [before]);
  receiver.put(3);
  assert.equal(connections.get(0)?.sets.length, 2);
  receiver.put(4, "drop");
  connections.dropRetired();
  assert.deepEqual(engine.closed.toSorted(), [1, 2, 3]);
});

Deno.test("without a window recordings of the keys before do not come first either", () => {
  const receiver = new Receiver();
  receiver.put(1, "keep", 0, 0);
  const recorded = sent(1, 0, 4);
  assert.equal(receiver.receive(recorded).passed, 4);
  receiver.put(2, "keep", 0, 0);
  assert.equal(receiver.receive(sent(2, 0, 4)).passed, 4);
  assert.deepEqual(receiver.receive(recorded), { passed: 4, tags: 8 });
  assert.deepEqual(receiver.receive(sent(2, 4, 4)), { passed: 4, tags: 4 });
});

Deno.test("a batch in work keeps the keys in the order that it was classified with", () => {
  const receiver = new Receiver();
  receiver.put(1);
  receiver.put(2);
  const connection = receiver.connections.get(0);
  const classified = connection?.sets ?? [];
  const order = [...classified];
  assert.equal(receiver.receive(sent(2, 0, 1)).passed, 1);
  assert.deepEqual(connection?.sets, order.toReversed());
  assert.deepEqual(classified, order);
});
