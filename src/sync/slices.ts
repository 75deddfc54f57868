// Work of several streams in slices, so that timers and other sockets have their
// turn: a read of what has come is over at once, and tables of all servers may
// come at the same time.
import type { Delay } from "../net/delay.ts";

/** After so much work others have their turn, in ms. */
const SLICE_MS = 10;

interface SlicesOptions {
  readonly delay: Delay;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class Slices {
  readonly #options: SlicesOptions;
  #busy = 0;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SlicesOptions) {
    this.#options = options;
  }

  /** Does some of the work, after {@linkcode turn}. */
  *run<T>(work: Iterable<T>): Iterable<T> {
    const { now } = this.#options;
    const began = now();
    try {
      yield* work;
    } finally {
      this.#busy += now() - began;
    }
  }

  /** @returns Once there is time for more; undefined if there is now */
  turn(): Promise<void> | undefined {
    if (this.#waiting === 0 && this.#busy < SLICE_MS) return undefined;
    this.#waiting++;
    this.#last = this.#last.then(() => this.#options.delay(0)).then(() => {
      this.#waiting--;
      this.#busy = 0;
    });
    return this.#last;
  }
}
