// Ledger of what is stated of connections and routes: by whom, when, and what was
// taken back. Of two statements about one subject the later one counts, wherever
// they were heard and in whatever order (docs/sync-extension.md).
import { type BelievedStamp, Credibility, isLater } from "./credibility.ts";
import { keyOf, type Stamp, type Subject } from "./extension.ts";
import {
  type Reader,
  type Revised,
  RevisionLog,
  type Slot,
} from "./revision_log.ts";

/** How long a removal is remembered, in ms. */
export const REMEMBERED_MS = 24 * 3600_000;
const MAX_REMOVALS = 100_000;
/** Of what is only remembered: before all that anybody has stated since. */
const MEMORY = 1;

export interface Entry extends Revised {
  readonly key: string;
  readonly subject: Subject;
  /** undefined for what was learnt from an original. */
  stamp: BelievedStamp | undefined;
  /** The same as long as what is stated is the same. */
  statement: string;
  isGone: boolean;
  /** When it was removed, by a monotonic clock. */
  goneAt: number;
}

/** What becomes of a statement. */
export type Verdict =
  /** It is the last one. */
  | "new"
  /** It states what is in force already; where a peer is may be news. */
  | "known"
  /** There is a later one. */
  | "old";

interface LedgerOptions {
  /** Of this process. */
  readonly instance: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed: () => number;
}

export class Ledger {
  readonly instance: string;
  #began: number;
  readonly #options: LedgerOptions;
  readonly #entries = new Map<string, Entry>();
  /** Removals, the oldest first. */
  readonly #removals = new Set<Entry>();
  readonly #credibility: Credibility;
  readonly #log = new RevisionLog<Entry>();
  #forgotten = 0;
  #version = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#credibility = new Credibility(options.now);
    this.instance = options.instance;
    this.#began = this.nextVersion();
  }

  /** What earlier instances have stated is older. */
  get began(): number {
    return this.#began;
  }

  /**
   * Whatever others have stated is later than all that is stated from here on
   * with {@linkcode recall}.
   */
  beginWithMemories(): void {
    this.#began = MEMORY;
  }

  /**
   * States what was true once, and may not be any more. Where this instance has
   * revoked what was there before, it was true by then.
   */
  recall(subject: Subject, statement: string): void {
    const { isGone, stamp } = this.#entries.get(keyOf(subject)) ?? {};
    const isRevoked = isGone === true && stamp?.origin === this.instance;
    const version = isRevoked ? stamp.version + 1 : MEMORY;
    this.#learn(subject, statement, { version, origin: this.instance }, true);
  }

  /** Moves with each change. */
  get revision(): number {
    return this.#log.revision;
  }

  /** Of the last removal that is not remembered any more. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** undefined for what is not known, or was removed. */
  get(subject: Subject): Entry | undefined {
    const entry = this.#entries.get(keyOf(subject));
    return entry?.isGone ? undefined : entry;
  }

  /**
   * States something anew, or that it has changed in what is not stated, such
   * as where a peer is.
   */
  claim(subject: Subject, statement: string): void {
    const entry = this.#entryOf(subject);
    const isSame = !entry.isGone && entry.stamp !== undefined &&
      entry.statement === statement;
    this.#set(entry, isSame ? entry.stamp : this.#nextStamp(), statement);
    this.#change(entry, true);
  }

  /** States it anew, whatever others have said. */
  reclaim(subject: Subject, statement: string): void {
    const entry = this.#entryOf(subject);
    this.#set(entry, this.#nextStamp(), statement);
    this.#change(entry, true);
  }

  /** Whether it is of a clock with which the own one does not agree. */
  isAhead(stamp: Stamp): boolean {
    return this.#credibility.isAhead(stamp);
  }

  /** Something about it has changed that is not stated. */
  touch(subject: Subject): void {
    const entry = this.#entries.get(keyOf(subject));
    if (entry !== undefined && !entry.isGone) this.#change(entry, true);
  }

  /** @returns Whether it was stated here, and is gone now */
  withdraw(subject: Subject): boolean {
    const entry = this.#entries.get(keyOf(subject));
    if (entry === undefined || entry.isGone) return false;
    if (entry.stamp?.origin !== this.instance) return false;
    this.revoke(subject);
    return true;
  }

  /** States that it is gone, whoever may have stated it before. */
  revoke(subject: Subject): void {
    const entry = this.#entryOf(subject);
    this.#bury(entry, this.#nextStamp());
    this.#change(entry, true);
  }

  /** Takes what another member states, or has heard of others. */
  learn(subject: Subject, statement: string, stamp: Stamp): Verdict {
    return this.#learn(subject, statement, stamp, false);
  }

  #learn(
    subject: Subject,
    statement: string,
    stamp: Stamp,
    isOurs: boolean,
  ): Verdict {
    const known = this.#entries.get(keyOf(subject));
    const credible = this.#credible(stamp);
    if (known?.stamp !== undefined && !isLater(credible, known.stamp)) {
      return !known.isGone && known.statement === statement ? "known" : "old";
    }
    const entry = known ?? this.#entryOf(subject);
    const isSame = known !== undefined && !known.isGone &&
      known.statement === statement;
    this.#set(entry, credible, statement);
    if (isSame) return "known";
    this.#change(entry, isOurs);
    return "new";
  }

  /** What is here and nobody has stated: all others are to hear it from here. */
  note(subject: Subject, statement: string): void {
    this.#learnPlain(subject, statement, true);
  }

  /**
   * Takes what an original says, which knows neither when it was stated nor
   * that it was taken back.
   */
  learnPlain(subject: Subject, statement: string): Verdict {
    return this.#learnPlain(subject, statement, false);
  }

  #learnPlain(
    subject: Subject,
    statement: string,
    isOurs: boolean,
  ): Verdict {
    const entry = this.#entryOf(subject);
    const { stamp } = entry;
    // Of what was gone before it was known here nobody knows what it was.
    const isSame = entry.statement === statement;
    if (entry.isGone && (isSame || entry.statement === "")) return "old";
    if (!entry.isGone && stamp !== undefined) {
      return isSame ? "known" : "old";
    }
    if (entry.revision > 0 && !entry.isGone && isSame) return "known";
    this.#set(entry, undefined, statement);
    this.#change(entry, isOurs);
    return "new";
  }

  /** @returns Whether it is gone by this: there was one, of before */
  remove(subject: Subject, stamp: Stamp): boolean {
    const entry = this.#entryOf(subject);
    const credible = this.#credible(stamp);
    if (entry.stamp !== undefined && !isLater(credible, entry.stamp)) {
      return false;
    }
    const was = entry.revision > 0 && !entry.isGone;
    this.#bury(entry, credible);
    this.#change(entry, was);
    return was;
  }

  /**
   * What an instance has stated counts as older than this, unless it turns out
   * to be there still. One that has only memories takes nobody's place.
   */
  supersede(origin: string, version: number): void {
    if (origin === this.instance || version <= MEMORY) return;
    const most = version - 1;
    let heard = 0;
    for (const entry of this.#entries.values()) {
      const { stamp } = entry;
      if (stamp?.origin !== origin) continue;
      heard = Math.max(heard, stamp.told);
      if (stamp.version > most) entry.stamp = { ...stamp, version: most };
    }
    this.#credibility.supersede(origin, most, heard);
  }

  /** This instance is there: what it has stated counts as it was told. */
  revive(origin: string): void {
    if (!this.#credibility.revive(origin)) return;
    for (const entry of this.#entries.values()) {
      const { stamp } = entry;
      if (stamp?.origin !== origin) continue;
      entry.stamp = { ...stamp, version: stamp.told };
    }
  }

  /** All that these origins have stated before this, but for these keys. */
  unclaimed(
    origins: ReadonlySet<string>,
    claimed: ReadonlySet<string>,
    before: Stamp,
  ): Subject[] {
    const left: Subject[] = [];
    const credible = this.#credible(before);
    for (const { key, isGone, stamp, subject } of this.#entries.values()) {
      if (isGone || stamp === undefined || claimed.has(key)) continue;
      if (!origins.has(stamp.origin) || !isLater(credible, stamp)) continue;
      left.push(subject);
    }
    return left;
  }

  /** Drops removals that are remembered for too long, or are too many. */
  forget(): void {
    const before = this.#options.elapsed() - REMEMBERED_MS;
    for (const entry of this.#removals) {
      const isOld = entry.goneAt < before;
      if (!isOld && this.#removals.size <= MAX_REMOVALS) return;
      this.#removals.delete(entry);
      this.#entries.delete(entry.key);
      this.#forgotten = Math.max(this.#forgotten, entry.revision);
      entry.revision = 0;
    }
  }

  /** As {@linkcode RevisionLog.watch}. */
  watch(reader: Reader): () => void {
    return this.#log.watch(reader);
  }

  /** The first change behind a revision. */
  after(revision: number): Slot<Entry> | undefined {
    return this.#log.after(revision);
  }

  #entryOf(subject: Subject): Entry {
    const key = keyOf(subject);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = {
      ...{ key, subject, revision: 0, stamp: undefined },
      ...{ statement: "", isGone: false, goneAt: 0, isOurs: false },
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #set(
    entry: Entry,
    stamp: BelievedStamp | undefined,
    statement: string,
  ): void {
    this.#removals.delete(entry);
    entry.isGone = false;
    entry.stamp = stamp;
    entry.statement = statement;
  }

  #bury(entry: Entry, stamp: BelievedStamp): void {
    this.#removals.delete(entry);
    this.#removals.add(entry);
    entry.isGone = true;
    entry.goneAt = this.#options.elapsed();
    entry.stamp = stamp;
    this.forget();
  }

  /** @param isOurs Whether all others are to hear it from here */
  #change(entry: Entry, isOurs: boolean): void {
    this.#log.change(entry, isOurs, this.#entries.size);
  }

  #nextStamp(): BelievedStamp {
    const version = this.nextVersion();
    return { version, told: version, origin: this.instance };
  }

  /** Later than all that was stated or heard. */
  nextVersion(): number {
    this.#version = Math.max(
      Math.floor(this.#options.now()),
      this.#version + 1,
    );
    return this.#version;
  }

  /** Nobody states for all times what nobody could take back. */
  #credible(stamp: Stamp): BelievedStamp {
    if (this.#credibility.isAlive(stamp)) this.revive(stamp.origin);
    const credible = this.#credibility.believe(stamp);
    this.#version = Math.max(this.#version, credible.version);
    return credible;
  }
}
