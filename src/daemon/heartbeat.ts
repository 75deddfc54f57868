// Heartbeat of threads: whether each of them still goes round.

/** Without packets a thread goes round every ten seconds (FLUSH_MS). */
const LONGEST_ROUND_MS = 25_000;

interface Beat {
  readonly count: number;
  /** When it was first seen, in milliseconds. */
  readonly since: number;
}

export class Heartbeat {
  readonly #rounds: () => readonly number[];
  readonly #now: () => number;
  #beats: readonly Beat[] = [];

  /**
   * @param rounds How often each thread has gone round
   * @param now A clock that never goes back, in milliseconds
   */
  constructor(rounds: () => readonly number[], now: () => number) {
    this.#rounds = rounds;
    this.#now = now;
  }

  /**
   * However often it is asked. A thread is known to hang when two looks at it,
   * as far apart as its longest round, have found it at the same place.
   */
  get isAlive(): boolean {
    const now = this.#now();
    this.#beats = this.#rounds().map((count, k) => {
      const last = this.#beats[k];
      return last?.count === count ? last : { count, since: now };
    });
    return this.#beats.every(({ since }) => now - since <= LONGEST_ROUND_MS);
  }
}
