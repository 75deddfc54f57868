// Work that changes ask for, once for many of them.
import type { Delay } from "./delay.ts";

/** For each millisecond of work. */
const REST = 10;

interface Clock {
  readonly delay: Delay;
  /** In milliseconds. */
  readonly elapsed: () => number;
}

/**
 * Does for a burst of changes once what costs the more the more there is. It
 * rests ten times as long as it took: whoever causes change after change has a
 * tenth of the thread at most.
 */
export class CollectedWork {
  readonly #pauseMs: number;
  readonly #work: () => void;
  readonly #clock: Clock;
  #isAsked = false;
  #notBefore = 0;

  /** @param pauseMs From the first change of a burst on */
  constructor(pauseMs: number, work: () => void, clock: Clock) {
    this.#pauseMs = pauseMs;
    this.#work = work;
    this.#clock = clock;
  }

  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { delay, elapsed } = this.#clock;
    const ms = Math.max(this.#pauseMs, this.#notBefore - elapsed());
    void delay(ms).then(() => this.#do());
  }

  #do(): void {
    this.#isAsked = false;
    const { elapsed } = this.#clock;
    const begin = elapsed();
    try {
      this.#work();
    } finally {
      const end = elapsed();
      this.#notBefore = end + REST * (end - begin);
    }
  }
}
