/**
 * A log that a flood of datagrams cannot fill.
 *
 * @module
 */
import type { LevelName } from "./level.ts";
import type { Logger } from "./logger.ts";

/** How many lines of one kind pass. */
interface RateLimit {
  /** Lines that may come at once, at least 1. */
  readonly burst: number;
  /** Lines that may follow per second, more than 0. */
  readonly perSecond: number;
}

interface Bucket {
  /** Lines that may pass now, with the part of the next one. */
  tokens: number;
  /** When the tokens were counted, in milliseconds. */
  countedAt: number;
  heldBack: number;
  readonly level: LevelName;
}

/**
 * Lets lines pass by a token bucket per kind of message, and says afterwards
 * how many were held back. The original writes one line per bad datagram
 * without limit (CLI section 6).
 */
export class RateLimitedLog {
  readonly #log: Logger;
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now Milliseconds of a clock that never goes back */
  constructor(log: Logger, limit: RateLimit, now: () => number) {
    this.#log = log;
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Logs the text, unless too many of its kind came before.
   *
   * @param kind What the messages have in common, such as `replay`; one of few,
   * and never taken from the network
   * @param text Called only if the line passes
   */
  write(level: LevelName, kind: string, text: () => string): void {
    const bucket = this.#refilled(kind, level);
    if (bucket.tokens < 1) {
      bucket.heldBack++;
      return;
    }
    this.#confess(kind, bucket);
    bucket.tokens--;
    this.#log[level](text());
  }

  /** Says what is held back until now: to be called from time to time. */
  flush(): void {
    for (const [kind, bucket] of this.#buckets) this.#confess(kind, bucket);
  }

  #refilled(kind: string, level: LevelName): Bucket {
    const { burst, perSecond } = this.#limit;
    const now = this.#now();
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = { tokens: burst, countedAt: now, heldBack: 0, level };
      this.#buckets.set(kind, bucket);
    }
    const gained = (now - bucket.countedAt) / 1000 * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.countedAt = now;
    return bucket;
  }

  #confess(kind: string, bucket: Bucket): void {
    if (bucket.heldBack === 0) return;
    const lines = bucket.heldBack === 1 ? "line" : "lines";
    this.#log[bucket.level](`held back ${bucket.heldBack} ${lines}: ${kind}`);
    bucket.heldBack = 0;
  }
}
