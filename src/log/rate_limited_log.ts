// Rate limit for log lines.
import type { LevelName } from "./level.ts";
import type { LogFields, Logger, LogLine } from "./logger.ts";
import { type RateLimit, TokenBucket } from "./token_bucket.ts";

/** What is said about one. */
interface Subject {
  readonly bucket: TokenBucket;
  heldBack: number;
}

/** What is said of one kind, by whom it is about. */
interface Kind {
  readonly level: LevelName;
  readonly subjects: Map<number, Subject>;
}

/** How often it should be said how many lines were held back, in ms. */
export const FLUSH_MS = 10_000;

/** In place of a number where a line is about nobody in particular. */
export const NOBODY = -1;

/** Whoever comes later shares the bucket of nobody until some are full again. */
const MAX_SUBJECTS = 4096;

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
    const subject = this.#subject(this.#kind(kind, level), about);
    if (subject.bucket.holdsOne()) return false;
    subject.heldBack++;
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
    const subject = this.#subject(this.#kind(kind, level), about);
    if (!subject.bucket.take()) {
      subject.heldBack++;
      return;
    }
    this.#reportHeldBack(level, kind, subject.heldBack, about);
    subject.heldBack = 0;
    const made = line();
    if (typeof made === "string") this.#log[level](made);
    else this.#log[level](made.text, made.fields);
  }

  /**
   * Reports lines held back until now, one line for each kind, and forgets who
   * has long been quiet; to be called from time to time.
   */
  flush(): void {
    for (const [name, { level, subjects }] of this.#kinds) {
      let heldBack = 0;
      let several = 0;
      let last = NOBODY;
      for (const [about, subject] of subjects) {
        heldBack += subject.heldBack;
        if (subject.heldBack > 0) {
          several++;
          last = about;
        } else if (subject.bucket.isFull()) subjects.delete(about);
        subject.heldBack = 0;
      }
      this.#reportHeldBack(level, name, heldBack, last, several);
    }
  }

  #kind(name: string, level: LevelName): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { level, subjects: new Map() };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #subject({ subjects }: Kind, about: number): Subject {
    let subject = subjects.get(about);
    if (subject === undefined && subjects.size >= MAX_SUBJECTS) {
      about = NOBODY;
      subject = subjects.get(about);
    }
    if (subject === undefined) {
      const bucket = new TokenBucket(this.#limit, this.#now);
      subject = { bucket, heldBack: 0 };
      subjects.set(about, subject);
    }
    return subject;
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
