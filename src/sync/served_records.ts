// The records that a control daemon serves, as members of ours follow them.
import { decodeFramed } from "./decode.ts";
import { keyOf, type Subject, subjectOf } from "./extension.ts";
import type { Feed } from "./feed.ts";
import type { Ledger } from "./ledger.ts";
import { LedgerFeed } from "./ledger_feed.ts";
import type { Slices } from "./slices.ts";

/** Records that are taken without a look at the time. */
const PIECE = 256;

interface ServedOptions {
  /** Everything known now, as records for the stream. */
  readonly snapshot: () => readonly string[];
  /** Whether that may be out of date, and others may know better. */
  readonly isStale: () => boolean;
  /** Sends a record to originals, and what is new in the feed to the others. */
  readonly push: (record: string) => void;
  /** There is something new in the feed, and nothing for originals. */
  readonly wake: () => void;
  readonly slices: Slices;
}

/** Is told of each change, in order. */
export class ServedRecords {
  readonly feed: Feed;
  readonly #ledger: Ledger;
  readonly #options: ServedOptions;
  /** By key, once somebody has followed the feed. */
  readonly #texts = new Map<string, string>();
  /** By key: other records of a network that are there, the last one counts. */
  readonly #others = new Map<string, Set<string>>();
  /** What of the first table is to be stated yet; it is not read before. */
  readonly #table = this.#stateAll();
  #hasBegun = false;
  #isComplete = false;

  constructor(ledger: Ledger, options: ServedOptions) {
    this.#ledger = ledger;
    this.#options = options;
    this.feed = new LedgerFeed(ledger, {
      record: (subject) => this.#texts.get(keyOf(subject)),
      ready: () => this.#completeInSlices(),
      prepare: () => this.#complete(),
      isComplete: () => true,
    });
  }

  /** It is new, or in place of another one. */
  push(record: string): void {
    if (this.#hasBegun) this.#complete();
    this.#state(record);
    this.#options.push(record);
  }

  /**
   * It is gone, unless there is another one in its place, or one that it took the
   * place of is still there. Before anybody has followed it was stated by the
   * process before, if at all.
   */
  remove(record: string): void {
    const subject = subjectIn(record);
    if (subject === undefined) return;
    if (this.#hasBegun) this.#complete();
    const key = keyOf(subject);
    const stated = this.#texts.get(key);
    const isUnknown = stated === undefined && !this.#isComplete;
    if (stated !== record && !isUnknown) return this.#forget(key, record);
    this.#texts.delete(key);
    const other = [...this.#others.get(key) ?? []].at(-1);
    if (other !== undefined) {
      this.#forget(key, other);
      return this.push(other);
    }
    this.#ledger.revoke(subject);
    this.#options.wake();
  }

  /** As another record of a network. */
  #forget(key: string, record: string): void {
    const others = this.#others.get(key);
    others?.delete(record);
    if (others?.size === 0) this.#others.delete(key);
  }

  /** The table of a large fleet takes longer than others ought to wait. */
  async #completeInSlices(): Promise<void> {
    const { slices } = this.#options;
    while (!this.#isComplete) {
      await slices.turn();
      for (const _ of slices.run(this.#piece()));
    }
  }

  *#piece(): Iterable<void> {
    for (let k = 0; k < PIECE && !this.#table.next().done; k++) yield;
  }

  /** States what is left: what changes, changes behind it. */
  #complete(): void {
    while (!this.#table.next().done);
  }

  /** Only originals may ever come: they need nothing of this. */
  *#stateAll(): Generator<void> {
    this.#hasBegun = true;
    const { snapshot, isStale } = this.#options;
    const isRecalled = isStale();
    if (isRecalled) this.#ledger.beginWithMemories();
    for (const record of [...snapshot()]) {
      this.#state(record, isRecalled);
      yield;
    }
    this.#isComplete = true;
  }

  // All that is in it is stated, where a peer is as well.
  #state(record: string, isRecalled = false): void {
    const subject = subjectIn(record);
    if (subject === undefined) return;
    const key = keyOf(subject);
    const before = this.#texts.get(key);
    if (before === record) return;
    if (subject.command === "route" && before !== undefined) {
      const others = this.#others.get(key) ?? new Set();
      this.#others.set(key, others.add(before));
      this.#forget(key, record);
    }
    this.#texts.set(key, record);
    if (isRecalled) this.#ledger.recall(subject, "stated");
    else this.#ledger.reclaim(subject, "stated");
  }
}

function subjectIn(record: string): Subject | undefined {
  const decoded = decodeFramed(record);
  return decoded && subjectOf(decoded);
}
