// Rate limit for log lines.
import type { LevelName } from "./level.ts";
import type { Logger } from "./logger.ts";

interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  countedAtMs: number;
  heldBack: number;
  readonly level: LevelName;
}

/**
 * A token bucket per kind of message. The original writes one line per bad
 * datagram without limit (CLI section 6).
 */
export class RateLimitedLog {
  readonly #log: Logger;
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now Milliseconds of a monotonic clock */
  constructor(log: Logger, limit: RateLimit, now: () => number) {
    this.#log = log;
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * @param kind One of few, such as `replay`, and never taken from the network
   * @param text Called only if the line passes
   */
  write(level: LevelName, kind: string, text: () => string): void {
    const bucket = this.#refilled(kind, level);
    if (bucket.tokens < 1) {
      bucket.heldBack++;
      return;
    }
    this.#reportHeldBack(kind, bucket);
    bucket.tokens--;
    this.#log[level](text());
  }

  /** Reports lines held back until now; to be called from time to time. */
  flush(): void {
    for (const [kind, bucket] of this.#buckets) {
      this.#reportHeldBack(kind, bucket);
    }
  }

  #refilled(kind: string, level: LevelName): Bucket {
    const { burst, perSecond } = this.#limit;
    const now = this.#now();
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = { tokens: burst, countedAtMs: now, heldBack: 0, level };
      this.#buckets.set(kind, bucket);
    }
    const gained = (now - bucket.countedAtMs) / 1000 * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.countedAtMs = now;
    return bucket;
  }

  #reportHeldBack(kind: string, bucket: Bucket): void {
    if (bucket.heldBack === 0) return;
    const lines = bucket.heldBack === 1 ? "line" : "lines";
    this.#log[bucket.level](`held back ${bucket.heldBack} ${lines}: ${kind}`);
    bucket.heldBack = 0;
  }
}
