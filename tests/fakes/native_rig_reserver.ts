/// <reference lib="deno.worker" />
/** Takes sequence numbers as a data plane does, and says which it got. */

import { ConnectionTable } from "../../src/tunnel/connection_table.ts";

/** What to take. */
export interface ReserverOrder {
  readonly table: WebAssembly.Memory;
  readonly mux: number;
  /**
   * Two words: how many threads are not yet ready, none begins before; and 1
   * once they may end.
   */
  readonly gate: SharedArrayBuffer;
  /** How many times to take some at least. */
  readonly rounds: number;
  /** How many numbers to take at a time at most. */
  readonly most: number;
  /** One more than the highest number, if there is more than one sender id. */
  readonly limit?: number | undefined;
}

/** Numbers taken at once, and the first byte of the key that they are for. */
export interface Reservation {
  readonly epoch: number;
  readonly first: number;
  readonly count: number;
  readonly key: number;
}

self.onmessage = ({ data }: MessageEvent<ReserverOrder>) => {
  const table = new ConnectionTable(data.table);
  const gate = new Int32Array(data.gate);
  const taken: Reservation[] = [];
  Atomics.sub(gate, 0, 1);
  while (Atomics.load(gate, 0) > 0);
  while (taken.length < data.rounds || Atomics.load(gate, 1) === 0) {
    const { epoch, secrets } = table.keys(data.mux);
    const [key = -1] = secrets.key;
    if (secrets.key.some((byte) => byte !== key)) {
      throw new Error("half of a key was read");
    }
    const count = 1 + taken.length % data.most;
    const first = table.reserve(data.mux, epoch, count, data.limit);
    if (first >= 0) taken.push({ epoch, first, count, key });
  }
  self.postMessage(taken);
};
