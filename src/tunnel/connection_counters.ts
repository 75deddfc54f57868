// Counters of the connections. Each has one writer: the thread of its direction,
// which counts in the record; threads that may serve the same connection as
// others have counters of their own.
import { CONNECTION_COUNTERS } from "./counters.ts";

const MUXES = 0x10000;

/** Whole cache lines, so that neighbours do not share one. */
const OWN_BYTES = 128;

/** Where they are, in bytes: of mux 0, and from one connection to the next. */
interface CounterPlaces {
  readonly at: number;
  readonly stride: number;
}

/** Those of all connections that one thread writes. */
class WrittenCounters {
  readonly #doubles: Float64Array;
  readonly #places: CounterPlaces;

  constructor(shared: SharedArrayBuffer, places: CounterPlaces) {
    this.#doubles = new Float64Array(shared);
    this.#places = places;
  }

  of(mux: number): Float64Array {
    const { at, stride } = this.#places;
    const place = at + mux * stride;
    return new Float64Array(this.#doubles.buffer, place, CONNECTION_COUNTERS);
  }

  /** Without a view: there may be tens of thousands of connections to add. */
  addTo(sums: Float64Array, mux: number): void {
    const { at, stride } = this.#places;
    const first = (at + mux * stride) / 8;
    for (let k = 0; k < CONNECTION_COUNTERS; k++) {
      sums[k] = (sums[k] ?? 0) + (this.#doubles[first + k] ?? 0);
    }
  }

  /** One of them, without a view of all. */
  at(mux: number, index: number): number {
    const { at, stride } = this.#places;
    return this.#doubles[(at + mux * stride) / 8 + index] ?? 0;
  }
}

export class ConnectionCounters {
  /** Those in the records first. */
  readonly #all: WrittenCounters[];
  readonly #own: WrittenCounters;

  /**
   * @param places In the records
   * @param own Of {@link addThread}, for a thread that has been given some
   */
  constructor(
    shared: SharedArrayBuffer,
    places: CounterPlaces,
    own?: SharedArrayBuffer,
  ) {
    const recorded = new WrittenCounters(shared, places);
    this.#all = [recorded];
    this.#own = own === undefined ? recorded : ownOf(own);
  }

  /**
   * Counters of its own for a thread that serves connections of others. Pages of
   * connections that it never serves cost nothing.
   */
  addThread(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(MUXES * OWN_BYTES);
    this.#all.push(ownOf(shared));
    return shared;
  }

  /** Those that this thread writes. */
  of(mux: number): Float64Array {
    return this.#own.of(mux);
  }

  /** What all threads have counted so far. */
  sum(mux: number): Float64Array {
    const sum = new Float64Array(CONNECTION_COUNTERS);
    this.addTo(sum, mux);
    return sum;
  }

  /** Adds what {@link sum} has, counter by counter. */
  addTo(sums: Float64Array, mux: number): void {
    for (const written of this.#all) written.addTo(sums, mux);
  }

  /** One counter of {@link sum}. */
  sumOf(mux: number, index: number): number {
    let sum = 0;
    for (const written of this.#all) sum += written.at(mux, index);
    return sum;
  }
}

function ownOf(shared: SharedArrayBuffer): WrittenCounters {
  return new WrittenCounters(shared, { at: 0, stride: OWN_BYTES });
}
