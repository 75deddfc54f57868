/**
 * The state of a cluster member without its data plane: connections and
 * routes that records change, and that it passes on.
 *
 * @module
 */
import type { Endpoint } from "../../src/net/endpoint.ts";
import { Routes } from "../../src/route/routes.ts";
import type { KdPrfName } from "../../src/satp/params.ts";
import {
  type LearntConnection,
  type LearntPeer,
  RecordApplier,
  type SyncSink,
} from "../../src/sync/apply.ts";
import { decodeRecord } from "../../src/sync/decode.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { SyncError, type SyncFault } from "../../src/sync/error.ts";
import { RecordReader } from "../../src/sync/framing.ts";
import type { SyncRecord } from "../../src/sync/record.ts";
import { ConnectionTable } from "../../src/tunnel/connection_table.ts";
import { recordingLog } from "./recording_log.ts";
import { unlimited } from "./sync_streams.ts";

const UNKNOWN: Endpoint = {
  address: { family: 4, bytes: new Uint8Array(4) },
  port: 0,
};

/** Connections and routes, as a daemon keeps them. */
export class SyncMember implements SyncSink {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly endpoints = new Map<number, Endpoint>();
  readonly routes = new Routes();
  readonly log = recordingLog();
  readonly #applier: RecordApplier;

  constructor(kdPrf: KdPrfName = "aes-ctr-128") {
    this.#applier = new RecordApplier(this, kdPrf, unlimited(this.log));
  }

  putConnection(learnt: LearntConnection): boolean {
    const { mux, endpoint, firstSeq } = learnt;
    const isNear = this.table.accepts(mux, learnt, firstSeq);
    if (endpoint !== undefined) this.endpoints.set(mux, endpoint);
    this.table.put(mux, learnt, isNear ? firstSeq : 0);
    return isNear;
  }

  learnPeer({ mux, endpoint, firstSeq }: LearntPeer): boolean {
    const { table } = this;
    return this.putConnection({ ...table.keys(mux), mux, endpoint, firstSeq });
  }

  hasRoom(route: Parameters<SyncSink["hasRoom"]>[0]): boolean {
    return this.routes.hasRoom(route);
  }

  putRoute(route: Parameters<SyncSink["putRoute"]>[0]): void {
    this.routes.put(route);
  }

  /** Takes one record. */
  apply(record: SyncRecord): void {
    if (this.#applier.accepts(record)) this.#applier.apply(record);
  }

  /**
   * Reads a stream as a client does.
   *
   * @returns Why the connection would be dropped, if so
   */
  read(stream: Uint8Array): SyncFault | undefined {
    try {
      const reader = new RecordReader();
      for (const text of reader.push(stream)) {
        const record = decodeRecord(text);
        if (record !== undefined) this.apply(record);
      }
      return undefined;
    } catch (error) {
      if (error instanceof SyncError) return error.fault;
      throw error;
    }
  }

  /** What a new client of this member is sent. */
  stream(): string {
    return [...this.#connections(), ...this.#routes()].join("");
  }

  *#connections(): Generator<string> {
    for (let mux = 0; mux < 0x10000; mux++) {
      if (!this.table.exists(mux)) continue;
      yield encodeRecord({
        command: "connection",
        mux,
        ...this.table.keys(mux),
        seq: this.table.nextSeq(mux),
        endpoint: this.endpoints.get(mux) ?? UNKNOWN,
      });
    }
  }

  *#routes(): Generator<string> {
    for (const route of this.routes.list()) {
      yield encodeRecord({ command: "route", ...route });
    }
  }
}
