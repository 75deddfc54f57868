// Token bucket: a bound for what may happen so often at once, and so often in the
// long run.

export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** Full at first. Whoever asks says the time, in ms by a monotonic clock. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #countedAtMs: number;

  constructor(limit: RateLimit, now: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#countedAtMs = now;
  }

  /** @returns Whether there was one */
  take(now: number): boolean {
    if (!this.holdsOne(now)) return false;
    this.#tokens--;
    return true;
  }

  holdsOne(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#limit.burst;
  }

  #refill(now: number): void {
    const { burst, perSecond } = this.#limit;
    const more = (now - this.#countedAtMs) / 1000 * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + more);
    this.#countedAtMs = now;
  }
}
