// The records that a control daemon serves, as members of ours follow them.
import { decodeFramed } from "./decode.ts";
import { keyOf, type Subject, subjectOf } from "./extension.ts";
import type { Feed } from "./feed.ts";
import type { Ledger } from "./ledger.ts";
import { LedgerFeed } from "./ledger_feed.ts";

interface ServedOptions {
  /** Everything known now, as records for the stream. */
  readonly snapshot: () => readonly string[];
  /** Whether that may be out of date, and others may know better. */
  readonly isStale: () => boolean;
  /** Sends a record to originals, and what is new in the feed to the others. */
  readonly push: (record: string) => void;
  /** There is something new in the feed, and nothing for originals. */
  readonly wake: () => void;
}

/** Is told of each change, in order. */
export class ServedRecords {
  readonly feed: Feed;
  readonly #ledger: Ledger;
  readonly #options: ServedOptions;
  /** By key, once somebody has followed the feed. */
  readonly #texts = new Map<string, string>();
  /** Networks that more than one connection had: the last one has it. */
  readonly #shared = new Set<string>();
  #isComplete = false;

  constructor(ledger: Ledger, options: ServedOptions) {
    this.#ledger = ledger;
    this.#options = options;
    this.feed = new LedgerFeed(ledger, {
      record: (subject) => this.#texts.get(keyOf(subject)),
      prepare: () => this.#complete(),
      isComplete: () => true,
    });
  }

  /** It is new, or in place of another one. */
  push(record: string): void {
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
    const key = keyOf(subject);
    const stated = this.#texts.get(key);
    const isUnknown = stated === undefined && !this.#isComplete;
    if (stated !== record && !isUnknown) return;
    this.#texts.delete(key);
    const other = this.#shared.has(key) ? this.#served(key) : undefined;
    if (other !== undefined) return this.push(other);
    this.#shared.delete(key);
    this.#ledger.revoke(subject);
    this.#options.wake();
  }

  /** The last record of a network among all that is known now. */
  #served(key: string): string | undefined {
    const [, , address] = key.split(" ");
    return this.#options.snapshot().findLast((record) => {
      // To read each of a hundred thousand would take a second.
      if (!record.includes(` ${address} `)) return false;
      const subject = subjectIn(record);
      return subject !== undefined && keyOf(subject) === key;
    });
  }

  /** Only originals may ever come: they need nothing of this. */
  #complete(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    const { snapshot, isStale } = this.#options;
    const isRecalled = isStale();
    if (isRecalled) this.#ledger.beginWithMemories();
    for (const record of snapshot()) this.#state(record, isRecalled);
  }

  // All that is in it is stated, where a peer is as well.
  #state(record: string, isRecalled = false): void {
    const subject = subjectIn(record);
    if (subject === undefined) return;
    const key = keyOf(subject);
    const before = this.#texts.get(key);
    if (before === record) return;
    const isRoute = subject.command === "route";
    if (isRoute && before !== undefined) this.#shared.add(key);
    this.#texts.set(key, record);
    if (isRecalled) this.#ledger.recall(subject, "stated");
    else this.#ledger.reclaim(subject, "stated");
  }
}

function subjectIn(record: string): Subject | undefined {
  const decoded = decodeFramed(record);
  return decoded && subjectOf(decoded);
}
