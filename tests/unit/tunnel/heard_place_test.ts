import assert from "node:assert/strict";
import { parseAddress } from "../../../src/net/address.ts";
import { DatagramBatch } from "../../../src/satp/batch.ts";
import type { SyncCryptoEngine } from "../../../src/satp/engine.ts";
import { writeHeader, writeU16 } from "../../../src/satp/header.ts";
import type { SatpParameters } from "../../../src/satp/params.ts";
import { authenticateBatch } from "../../../src/satp/pipeline.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { Inbound } from "../../../src/tunnel/inbound.ts";
import { LiveSettings } from "../../../src/tunnel/live_settings.ts";
import { HEADROOM_BYTES } from "../../../src/tunnel/outbound.ts";
import { remoteOf } from "../../../src/tunnel/sightings.ts";
import { SILENT_INBOUND } from "../../fakes/silent_inbound.ts";

const PARAMS: SatpParameters = {
  cipher: "null",
  kdPrf: "null",
  authAlgo: "null",
  tagLength: 0,
};

const NO_CRYPTO: SyncCryptoEngine = {
  name: "none",
  importMasterKey: () => ({ encrypt() {}, close() {} }),
  beginCipher: () => ({ run() {}, flush() {} }),
  beginMac: () => ({ run() {}, flush() {} }),
};

/** Somebody else may look at any time, and is sure to look now. */
class SeenTable extends ConnectionTable {
  readonly seen: string[] = [];

  override noteHeard(mux: number, now: number): void {
    super.noteHeard(mux, now);
    this.look(mux);
  }

  look(mux: number): void {
    this.seen.push(`${this.lastHeard(mux)} at ${remoteOf(this, mux)}`);
  }
}

Deno.test("who sees that a peer was heard sees where it was heard, and nothing is told before", () => {
  const table = new SeenTable(ConnectionTable.allocate());
  const connections = new Connections(table, NO_CRYPTO);
  let now = 0;
  const inbound = new Inbound(DatagramBatch.standalone(PARAMS, 1, 64), {
    connections,
    counters: new Float64Array(PLANE_COUNTERS),
    live: new LiveSettings(),
    log: SILENT_INBOUND,
    moved: (mux) => table.look(mux),
    now: () => now,
  }, { deviceType: "tun", roaming: true, filter: undefined });
  const secrets = { key: new Uint8Array(16), salt: new Uint8Array(14) };
  table.put(0, { role: "left", secrets, windowSize: 64 }, 0);
  const receive = (seq: number, port: number) => {
    const { batch } = inbound;
    const at = batch.startOf(0);
    const address = parseAddress("192.0.2.1") ?? assert.fail();
    now = seq;
    writeEndpoint(inbound.places.sources, 0, { address, port });
    writeHeader(batch.memory, at, seq, 0, 0);
    writeU16(batch.memory, at + HEADROOM_BYTES - 2, 0x0800);
    batch.count = 1;
    inbound.classify(Uint32Array.of(HEADROOM_BYTES + 20));
    authenticateBatch(NO_CRYPTO, batch, inbound.schedules);
    inbound.judge();
    inbound.release();
  };
  receive(1, 4444);
  receive(2, 5001);
  receive(3, 5001);
  assert.deepEqual(table.seen, [
    ...["1 at 192.0.2.1:4444", "1 at 192.0.2.1:4444"],
    ...["2 at 192.0.2.1:5001", "2 at 192.0.2.1:5001"],
    "3 at 192.0.2.1:5001",
  ]);
});
