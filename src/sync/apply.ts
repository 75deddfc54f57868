// The effect of records on connections and routes (sync sections 4 and 5).
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

export interface LearntPeer {
  readonly mux: number;
  /** Lower bound of the next sequence number; the very number with new keys. */
  readonly firstSeq: number;
  /** undefined leaves it as it is. */
  readonly endpoint: Endpoint | undefined;
}

export interface LearntConnection extends LearntPeer {
  readonly role: Role;
  readonly secrets: MasterSecrets;
  readonly windowSize: number;
}

/** One call is one change that is seen whole. */
export interface SyncSink {
  /**
   * While key and salt stay the same the own sequence number must not go back,
   * or a key stream would be used twice; with new ones the replay state begins
   * anew.
   * @returns false if the sequence number is too far ahead of the own one: all
   * but the number takes effect then
   */
  putConnection(connection: LearntConnection): boolean;
  /** Whether there is room for it, as there is for one that is there already. */
  hasRoom(route: Route): boolean;
  putRoute(route: Route): void;
  /**
   * What somebody has learnt of a connection that there is, which keeps its keys
   * and its window.
   * @returns As {@link putConnection}
   */
  learnPeer(peer: LearntPeer): boolean;
}

export class RecordApplier {
  readonly #sink: SyncSink;
  readonly #derivesKeys: boolean;
  readonly #log: RateLimitedLog;

  constructor(sink: SyncSink, kdPrf: KdPrfName, log: RateLimitedLog) {
    this.#sink = sink;
    this.#derivesKeys = kdPrf !== "null";
    this.#log = log;
  }

  /**
   * Whether it may take effect here, which the log says if not: what has none
   * need not be remembered either.
   */
  accepts(record: SyncRecord): boolean {
    if (record.command === "connection") return this.#fitsKeys(record);
    if (this.#sink.hasRoom(record)) return true;
    this.#log.write(
      "error",
      "sync route",
      () => `sync: no room for another route to mux ${record.mux}`,
    );
    return false;
  }

  /** Takes one that is accepted. */
  apply(record: SyncRecord): void {
    if (record.command === "connection") this.#applyConnection(record);
    else this.#sink.putRoute(record);
  }

  /** Takes what is learnt from packets of a connection that there is. */
  learn(told: Pick<ConnectionRecord, "mux" | "seq" | "endpoint">): void {
    const { mux, seq } = told;
    const endpoint = knownEndpoint(told);
    const isNear = this.#sink.learnPeer({ mux, firstSeq: seq, endpoint });
    if (!isNear) this.#refuseNumber(mux, seq);
  }

  #fitsKeys({ mux, secrets }: ConnectionRecord): boolean {
    // Without key derivation it would seal with zeros, as the original.
    const hasKeys = secrets.key.length > 0;
    if (hasKeys === this.#derivesKeys) return true;
    const mismatch = hasKeys
      ? "it has keys, but key derivation here is null"
      : "it has no keys, but key derivation here is not null";
    this.#log.write(
      "error",
      "sync key derivation",
      () => ({
        text: `sync: refusing connection ${mux}: ${mismatch}`,
        fields: { mux },
      }),
      mux,
    );
    return false;
  }

  #applyConnection(record: ConnectionRecord): void {
    const { mux, role, secrets, windowSize, seq } = record;
    if (windowSize > MAX_WINDOW_SIZE) {
      this.#log.write(
        "warning",
        "sync window",
        () => ({
          text:
            `sync: window of connection ${mux} is ${windowSize}: using ${MAX_WINDOW_SIZE}`,
          fields: { mux },
        }),
        mux,
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
    if (!isNear) this.#refuseNumber(mux, seq);
  }

  #refuseNumber(mux: number, seq: number): void {
    this.#log.write(
      "error",
      "sync number",
      () => ({
        text:
          `sync: refusing the sequence number of connection ${mux}: ${seq} is ` +
          "more than 2^31 ahead of ours, which stays; give each member sender " +
          "ids of its own (--sender-id)",
        fields: { mux },
      }),
      mux,
    );
  }
}
