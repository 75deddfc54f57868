// Token bucket: a bound for what may happen so often at once, and so often in the
// long run.

export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

// Places in what a bucket remembers.
const TOKENS = 0;
const COUNTED_AT = 1;

/** Full at first. */
export class TokenBucket {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  /** In fields, fractions would be a new object with each change. */
  readonly #state: Float64Array;

  /** @param now Milliseconds of a monotonic clock */
  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#state = Float64Array.of(limit.burst, now());
  }

  /** @returns Whether there was one */
  take(): boolean {
    if (!this.holdsOne()) return false;
    this.#state[TOKENS] = (this.#state[TOKENS] ?? 0) - 1;
    return true;
  }

  holdsOne(): boolean {
    this.#refill();
    return (this.#state[TOKENS] ?? 0) >= 1;
  }

  isFull(): boolean {
    this.#refill();
    return (this.#state[TOKENS] ?? 0) >= this.#limit.burst;
  }

  #refill(): void {
    const state = this.#state;
    const { burst, perSecond } = this.#limit;
    const now = this.#now();
    const more = (now - (state[COUNTED_AT] ?? now)) / 1000 * perSecond;
    state[TOKENS] = Math.min(burst, (state[TOKENS] ?? 0) + more);
    state[COUNTED_AT] = now;
  }
}
