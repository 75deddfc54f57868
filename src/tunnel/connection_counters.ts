// Counters of all connections by one of several threads that may serve the same
// connection. Pages of connections that it never serves cost nothing.
import { CONNECTION_COUNTERS } from "./counters.ts";

const MUXES = 0x10000;

/** Whole cache lines, so that neighbours do not share one. */
const STRIDE_BYTES = 128;

export class ConnectionCounters {
  readonly #shared: SharedArrayBuffer;
  readonly #doubles: Float64Array;

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(MUXES * STRIDE_BYTES);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared;
    this.#doubles = new Float64Array(shared);
  }

  /** One of them, without a view of all. */
  at(mux: number, index: number): number {
    return this.#doubles[mux * STRIDE_BYTES / 8 + index] ?? 0;
  }

  of(mux: number): Float64Array {
    const at = mux * STRIDE_BYTES;
    return new Float64Array(this.#shared, at, CONNECTION_COUNTERS);
  }
}
