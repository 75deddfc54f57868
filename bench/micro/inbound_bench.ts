/**
 * Judging full batches of datagrams that came in, without their cryptography:
 * of a connection with one set of keys, and with three of which the last one
 * opens them.
 *
 * @module
 */
import type { CryptoEngine } from "../../src/satp/engine.ts";
import { DatagramBatch } from "../../src/satp/batch.ts";
import { writeHeader, writeU16 } from "../../src/satp/header.ts";
import type { SatpParameters } from "../../src/satp/params.ts";
import { Connections } from "../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../src/tunnel/counters.ts";
import { Inbound } from "../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../src/tunnel/live_settings.ts";
import { HEADROOM_BYTES } from "../../src/tunnel/outbound.ts";

const DATAGRAMS = 64;
const SIZE = 1420;
const PARAMS: SatpParameters = {
  cipher: "aes-ctr-128",
  kdPrf: "aes-ctr-128",
  authAlgo: "sha1",
  tagLength: 10,
};
const SIZES = new Uint32Array(DATAGRAMS).fill(SIZE);

/** Its keys are never used. */
const engine: CryptoEngine = {
  name: "none",
  importMasterKey: () => ({ encrypt() {}, close() {} }),
  beginCipher: () => ({ run() {}, flush() {} }),
  beginMac: () => ({ run() {}, flush() {} }),
};

/** @returns Takes a batch through all steps; the last set of keys opens it */
function judging(sets: number): () => void {
  const table = new ConnectionTable(ConnectionTable.allocate());
  for (let k = 0; k < sets; k++) {
    const secrets = {
      key: new Uint8Array(16).fill(k + 1),
      salt: new Uint8Array(14),
    };
    table.put(0, { role: "left", secrets, windowSize: 1024 }, 0, "keep");
  }
  let now = 0;
  const batch = DatagramBatch.standalone(PARAMS, DATAGRAMS, 2048);
  const inbound = new Inbound(batch, {
    connections: new Connections(table, engine),
    counters: new Float64Array(PLANE_COUNTERS),
    live: new LiveSettings(),
    log: {
      wrongTag() {},
      wrongSource() {},
      replay() {},
      unknownMux() {},
      wrongPayloadType() {},
      batchFailed() {},
    },
    moved() {},
    now: () => now,
  }, { deviceType: "tun", roaming: true, filter: undefined });
  let seq = 0;
  return () => {
    now += 1;
    batch.count = DATAGRAMS;
    for (let i = 0; i < DATAGRAMS; i++) {
      const at = batch.startOf(i);
      writeHeader(batch.memory, at, seq++, 0, 0);
      writeU16(batch.memory, at + HEADROOM_BYTES - 2, 0x0800);
      batch.memory[at + HEADROOM_BYTES] = 0x45;
    }
    inbound.classify(SIZES);
    // In each but the last attempt all tags are wrong.
    for (let attempt = 1; attempt < sets; attempt++) {
      batch.wanted.fill(0, 0, DATAGRAMS);
      if (!inbound.retry()) break;
    }
    while (inbound.retry());
    inbound.judge();
    inbound.unwrap();
    inbound.release();
  };
}

for (const sets of [1, 3]) {
  const judge = judging(sets);
  const group = `${DATAGRAMS} datagrams`;
  Deno.bench(`judge, ${sets} of keys`, { group }, judge);
}
