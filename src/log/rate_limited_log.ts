// Rate limit for log lines.
import type { LevelName } from "./level.ts";
import type { LogFields, Logger, LogLine } from "./logger.ts";

interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  countedAtMs: number;
  heldBack: number;
}

/** What is said of one kind, by whom it is about. */
interface Kind {
  readonly level: LevelName;
  readonly buckets: Map<number, Bucket>;
}

/** How often it should be said how many lines were held back, in ms. */
export const FLUSH_MS = 10_000;

/** In place of a number where a line is about nobody in particular. */
export const NOBODY = -1;

/** Whoever comes later shares the bucket of nobody until some are full again. */
const MAX_BUCKETS = 4096;

/**
 * A token bucket for each kind of message and each one that it is about. The
 * original writes one line per bad datagram without limit (CLI section 6).
 */
export class RateLimitedLog {
  readonly #log: Logger;
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();

  /** @param now Milliseconds of a monotonic clock */
  constructor(log: Logger, limit: RateLimit, now: () => number) {
    this.#log = log;
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Whether a line would be held back, as which it then counts. Who has a flood to
   * tell of asks first, since a line that is never made takes memory, too.
   * @param kind As of {@link write}, and so is `about`
   */
  holdsBack(level: LevelName, kind: string, about: number = NOBODY): boolean {
    const bucket = this.#refilled(this.#kind(kind, level), about);
    if (bucket.tokens >= 1) return false;
    bucket.heldBack++;
    return true;
  }

  /**
   * @param kind One of few, such as `replay`, and never taken from the network
   * @param line Called only if the line passes
   * @param about Number of the connection that it is about, if it is: strangers
   * choose none
   */
  write(
    level: LevelName,
    kind: string,
    line: () => string | LogLine,
    about: number = NOBODY,
  ): void {
    if (this.holdsBack(level, kind, about)) return;
    const bucket = this.#refilled(this.#kind(kind, level), about);
    this.#reportHeldBack(level, kind, bucket.heldBack, about);
    bucket.heldBack = 0;
    bucket.tokens--;
    const made = line();
    if (typeof made === "string") this.#log[level](made);
    else this.#log[level](made.text, made.fields);
  }

  /**
   * Reports lines held back until now, one line for each kind, and forgets who
   * has long been quiet; to be called from time to time.
   */
  flush(): void {
    for (const [name, { level, buckets }] of this.#kinds) {
      let heldBack = 0;
      let several = 0;
      let last = NOBODY;
      for (const [about, bucket] of buckets) {
        heldBack += bucket.heldBack;
        if (bucket.heldBack > 0) {
          several++;
          last = about;
        } else if (this.#isFull(bucket)) buckets.delete(about);
        bucket.heldBack = 0;
      }
      this.#reportHeldBack(level, name, heldBack, last, several);
    }
  }

  #kind(name: string, level: LevelName): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { level, buckets: new Map() };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #refilled({ buckets }: Kind, about: number): Bucket {
    let bucket = buckets.get(about);
    if (bucket === undefined && buckets.size >= MAX_BUCKETS) {
      about = NOBODY;
      bucket = buckets.get(about);
    }
    const now = this.#now();
    if (bucket === undefined) {
      const { burst: tokens } = this.#limit;
      bucket = { tokens, countedAtMs: now, heldBack: 0 };
      buckets.set(about, bucket);
    }
    bucket.tokens = this.#tokens(bucket, now);
    bucket.countedAtMs = now;
    return bucket;
  }

  #isFull(bucket: Bucket): boolean {
    return this.#tokens(bucket, this.#now()) >= this.#limit.burst;
  }

  #tokens({ tokens, countedAtMs }: Bucket, now: number): number {
    const { burst, perSecond } = this.#limit;
    return Math.min(burst, tokens + (now - countedAtMs) / 1000 * perSecond);
  }

  #reportHeldBack(
    level: LevelName,
    kind: string,
    heldBack: number,
    about: number,
    several = 1,
  ): void {
    if (heldBack === 0) return;
    const lines = heldBack === 1 ? "line" : "lines";
    const whose = several > 1
      ? ` of ${several} connections`
      : about === NOBODY
      ? ""
      : ` of connection ${about}`;
    const fields: LogFields = {
      heldBack,
      kind,
      mux: several > 1 || about === NOBODY ? undefined : about,
    };
    this.#log[level](`held back ${heldBack} ${lines}: ${kind}${whose}`, fields);
  }
}
