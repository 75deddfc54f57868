// A ledger as members of ours follow it: what a client does not know, and then
// what changes.
//
// What is learnt from others while a client is there is not repeated to it, as
// all members follow each other; that something is gone is, and whoever comes
// (back) is told all that there was by then.
import {
  formatMessage,
  formatPut,
  type Hello,
  type Subject,
} from "./extension.ts";
import type { Feed, FeedCursor } from "./feed.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { isDue, type Reader } from "./revision_log.ts";

interface Source {
  /**
   * As originals are sent it.
   * @param statement What is stated of it
   * @returns undefined if there is none
   */
  record(subject: Subject, statement: string): string | undefined;
  /** Waited for before a client begins. */
  ready?(): Promise<void>;
  /** Called when a client begins. */
  prepare?(): void;
  /** Whether all is stated that this process ever will by itself. */
  isComplete(): boolean;
}

export class LedgerFeed implements Feed {
  readonly #ledger: Ledger;
  readonly #source: Source;

  constructor(ledger: Ledger, source: Source) {
    this.#ledger = ledger;
    this.#source = source;
  }

  enter(): FeedCursor {
    return new LedgerCursor(this.#ledger, this.#source);
  }

  async ready(): Promise<void> {
    await this.#source.ready?.();
  }
}

class LedgerCursor implements FeedCursor, Reader {
  at = 0;
  from: number;
  readonly #ledger: Ledger;
  readonly #source: Source;
  /** Where the client said hello: up to there is its table. */
  #tip = -1;
  #next = "";
  readonly #unwatch: () => void;
  /** How far the client knows that it has come. */
  #told = 0;
  #isCaughtUp = false;

  constructor(ledger: Ledger, source: Source) {
    this.#ledger = ledger;
    this.#source = source;
    // A process that loads reads the hello of a client long after it has come.
    this.from = ledger.revision;
    this.#unwatch = ledger.watch(this);
  }

  begin({ known, revision }: Hello): void {
    const ledger = this.#ledger;
    ledger.forget();
    this.#source.prepare?.();
    this.#tip = ledger.revision;
    const goesOn = known === ledger.instance &&
      revision >= ledger.forgotten && revision <= this.#tip;
    const since = goesOn ? revision : 0;
    this.at = since;
    this.#told = since;
    const { instance, began } = ledger;
    const version = known === instance ? ledger.nextVersion() : began;
    this.#next = formatMessage({ word: "welcome", instance, since, version });
  }

  take(bytes: number): string {
    if (this.#tip < 0) return "";
    let text = this.#next;
    this.#next = "";
    while (text.length < bytes) {
      const slot = this.#ledger.after(this.at);
      if (slot === undefined || slot.revision > this.#tip) {
        text += this.#catchUp();
      }
      if (slot === undefined) break;
      if (isDue(slot.entry, this)) text += this.#frame(slot.entry);
      this.at = slot.revision;
    }
    return text;
  }

  progress(): string {
    if (!this.#isCaughtUp || this.#told >= this.at) return "";
    this.#told = this.at;
    return formatMessage({ word: "at", revision: this.at });
  }

  close(): void {
    this.#unwatch();
  }

  #catchUp(): string {
    if (this.#isCaughtUp) return "";
    this.#isCaughtUp = true;
    this.at = Math.max(this.at, this.#tip);
    this.#told = this.at;
    const word = this.#source.isComplete() ? "all" : "some";
    return formatMessage({ word, revision: this.at });
  }

  #frame({ isGone, statement, revision, stamp, subject }: Entry): string {
    if (isGone) {
      if (stamp === undefined) return "";
      this.#told = revision;
      return formatMessage({ word: "gone", revision, stamp, subject });
    }
    const record = this.#source.record(subject, statement);
    if (record === undefined) return "";
    this.#told = revision;
    return formatPut(revision, stamp, record);
  }
}
