/**
 * From records to connections and routes, by the rules that keep keys safe
 * (sync sections 4 and 5).
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { Route } from "../route/route.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import { MAX_WINDOW_SIZE } from "../satp/replay_window.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import {
  type ConnectionRecord,
  knownEndpoint,
  type SyncRecord,
} from "./record.ts";

/** A connection as it is to be from now on. */
export interface LearntConnection {
  /** 0 to 65535. */
  readonly mux: number;
  /** The own end of the tunnel. */
  readonly role: Role;
  readonly secrets: MasterSecrets;
  /** Sequence numbers in the replay window; never more than it can hold. */
  readonly windowSize: number;
  /** The own next sequence number is at least this, or with new keys this. */
  readonly firstSeq: number;
  /** undefined leaves the endpoint as it is. */
  readonly endpoint: Endpoint | undefined;
}

/** Where records take effect; one call is one change that is seen whole. */
export interface SyncSink {
  /**
   * Makes or changes a connection. While key and salt stay the same its own
   * sequence number must not go back, or a key stream would be used twice;
   * with new ones the replay state begins anew.
   *
   * @returns false if the sequence number is too far ahead of the own one: all
   * but the number takes effect then
   */
  putConnection(connection: LearntConnection): boolean;
  /**
   * Adds or replaces a route.
   *
   * @returns false if there is no room for it
   */
  putRoute(route: Route): boolean;
}

/** Applies records that have been checked. */
export class RecordApplier {
  readonly #sink: SyncSink;
  readonly #derivesKeys: boolean;
  readonly #log: RateLimitedLog;

  /**
   * @param kdPrf The key derivation of this daemon; any but `null` takes the
   * size of a record's key
   */
  constructor(sink: SyncSink, kdPrf: KdPrfName, log: RateLimitedLog) {
    this.#sink = sink;
    this.#derivesKeys = kdPrf !== "null";
    this.#log = log;
  }

  /** Applies a record, or says in the log why not. */
  apply(record: SyncRecord): void {
    if (record.command === "connection") this.#applyConnection(record);
    else if (!this.#sink.putRoute(record)) {
      this.#log.write(
        "error",
        "sync route",
        () => `sync: no room for another route to mux ${record.mux}`,
      );
    }
  }

  #applyConnection(record: ConnectionRecord): void {
    const { mux, role, secrets, windowSize, seq } = record;
    // A daemon that derives no keys would seal with zeros, as the original.
    const hasKeys = secrets.key.length > 0;
    if (hasKeys !== this.#derivesKeys) {
      const mismatch = hasKeys
        ? "it has keys, but key derivation here is null"
        : "it has no keys, but key derivation here is not null";
      this.#log.write(
        "error",
        "sync key derivation",
        () => `sync: refusing connection ${mux}: ${mismatch}`,
      );
      return;
    }
    if (windowSize > MAX_WINDOW_SIZE) {
      this.#log.write(
        "warning",
        "sync window",
        () =>
          `sync: window of connection ${mux} is ${windowSize}: using ${MAX_WINDOW_SIZE}`,
      );
    }
    const isNear = this.#sink.putConnection({
      mux,
      role,
      secrets,
      windowSize: Math.min(windowSize, MAX_WINDOW_SIZE),
      firstSeq: seq,
      endpoint: knownEndpoint(record),
    });
    if (isNear) return;
    this.#log.write(
      "error",
      "sync number",
      () =>
        `sync: refusing the sequence number of connection ${mux}: ${seq} is ` +
        "more than 2^31 ahead of ours, which stays; give each member sender " +
        "ids of its own (--sender-id)",
    );
  }
}
