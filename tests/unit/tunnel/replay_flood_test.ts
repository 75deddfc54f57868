import { strict as assert } from "node:assert";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type {
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../../../src/satp/engine.ts";
import { writeHeader } from "../../../src/satp/header.ts";
import { authenticateBatch } from "../../../src/satp/pipeline.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTERS,
} from "../../../src/tunnel/counters.ts";
import { Inbound } from "../../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { HEADROOM_BYTES } from "../../../src/tunnel/outbound.ts";
import { question, SENDER_KINDS } from "../../../src/tunnel/refused_samples.ts";
import { paramsOf } from "../../vectors/satp.ts";
import { SILENT_INBOUND } from "../../fakes/silent_inbound.ts";

const PARAMS = paramsOf({
  cipher: "aes-ctr-128",
  kd_prf: "aes-ctr-128",
  auth_algo: "sha1",
  auth_tag_length: 10,
  passphrase: "replay tests",
});
const SIZE = HEADROOM_BYTES + 40 + PARAMS.tagLength;

/** All its tags are zeros. */
class CountingEngine implements SyncCryptoEngine {
  readonly name = "counting";
  tags = 0;

  importMasterKey(): MasterKey {
    return { encrypt() {}, close() {} };
  }

  beginCipher(): Cipher {
    return { run() {}, flush() {} };
  }

  beginMac(): Mac {
    return { run: () => this.tags++, flush() {} };
  }
}

/** One connection with a window of 64, and a batch of what comes in. */
class Receiver {
  readonly engine = new CountingEngine();
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly inbound: Inbound;

  constructor() {
    const batch = DatagramBatch.standalone(PARAMS, 32, 256);
    this.inbound = new Inbound(batch, {
      connections: new Connections(this.table, this.engine),
      counters: new Float64Array(PLANE_COUNTERS),
      live: new LiveSettings(),
      log: SILENT_INBOUND,
      moved() {},
      now: () => 0,
    }, { deviceType: "tun", roaming: true, filter: undefined });
    const secrets = { key: new Uint8Array(16), salt: new Uint8Array(14) };
    this.table.put(0, { role: "left", secrets, windowSize: 64 }, 0);
    this.table.endpoints.set(0, endpointWords().fill(4, 0, 1), 0);
  }

  /** @returns How many passed, and how many tags were made for that */
  receive(
    numbers: readonly number[],
    tag = 0,
  ): { passed: number; tags: number } {
    const { inbound, engine } = this;
    const { batch } = inbound;
    engine.tags = 0;
    numbers.forEach((seq, i) => {
      const at = batch.startOf(i);
      writeHeader(batch.memory, at, seq, 0, 0);
      batch.memory.fill(tag, at + SIZE - PARAMS.tagLength, at + SIZE);
    });
    batch.count = numbers.length;
    inbound.classify(new Uint32Array(numbers.length).fill(SIZE));
    authenticateBatch(engine, batch, inbound.schedules);
    inbound.judge();
    inbound.release();
    const wanted = batch.wanted.subarray(0, batch.count);
    return { passed: wanted.filter((w) => w === 1).length, tags: engine.tags };
  }

  count(counter: number): number {
    return this.table.counters.of(0)[counter] ?? 0;
  }
}

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => first + k);
}

Deno.test("a flood of recordings costs no tags from its second batch on, and new datagrams pass it", () => {
  const receiver = new Receiver();
  const recorded = numbers(0, 20);
  receiver.receive(recorded);
  assert.deepEqual(receiver.receive(recorded), { passed: 0, tags: 20 });
  assert.deepEqual(receiver.receive(recorded), { passed: 0, tags: 0 });
  const mixed = [...recorded, 100, 101];
  assert.deepEqual(receiver.receive(mixed), { passed: 2, tags: 2 });
  assert.equal(receiver.count(ConnectionCounter.REPLAYED), 60);
});

Deno.test("a flood of recordings costs no tags either while a fault is looked for, but for the keys of a chain", () => {
  const receiver = new Receiver();
  const recorded = numbers(0, 20);
  for (let k = 0; k < 2; k++) receiver.receive(recorded);
  const kinds = SENDER_KINDS.reduce((sum, kind) => sum + kind, 0);
  receiver.table.ask(0, question(kinds));
  assert.deepEqual(receiver.receive(recorded), { passed: 0, tags: 0 });
  receiver.table.ask(0, question(kinds, 1));
  assert.deepEqual(receiver.receive(recorded), { passed: 0, tags: 20 });
});

Deno.test("after a flood of recordings the tag comes first again", () => {
  const receiver = new Receiver();
  for (let k = 0; k < 3; k++) receiver.receive(numbers(0, 20));
  assert.deepEqual(receiver.receive(numbers(20, 20)), { passed: 20, tags: 20 });
  assert.deepEqual(receiver.receive(numbers(20, 5)), { passed: 0, tags: 5 });
});

Deno.test("forged datagrams of numbers heard before count as forged, however many come", () => {
  const receiver = new Receiver();
  receiver.receive(numbers(0, 20));
  for (let k = 0; k < 3; k++) receiver.receive(numbers(0, 20), 1);
  assert.equal(receiver.count(ConnectionCounter.WRONG_TAG), 60);
  assert.equal(receiver.count(ConnectionCounter.REPLAYED), 0);
});

Deno.test("looking at the number first moves no window: a forged one stays without effect", () => {
  const receiver = new Receiver();
  for (let k = 0; k < 3; k++) receiver.receive(numbers(0, 20));
  assert.deepEqual(receiver.receive([50_000], 1), { passed: 0, tags: 1 });
  assert.deepEqual(receiver.receive([20]), { passed: 1, tags: 1 });
});
