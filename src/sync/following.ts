// One server of ours, as its client follows it.
import {
  formatHello,
  type Gone,
  keyOf,
  parseMessage,
  type Progress,
  type Put,
  type ServerMessage,
  type Stamp,
  type Subject,
  subjectOf,
  type Welcome,
} from "./extension.ts";
import { SyncError } from "./error.ts";
import type { SyncRecord } from "./record.ts";

/** What is learnt from servers of ours. */
export interface Learner {
  /** @param stamp undefined for what the server has from an original */
  put(record: SyncRecord, stamp: Stamp | undefined): void;
  /** Whether there is one now: what cannot take effect is not kept. */
  holds(subject: Subject): boolean;
  remove(subject: Subject, stamp: Stamp): void;
  /** Something else, of this version, has taken the place of this instance. */
  supersede(origin: string, version: number): void;
  /** This instance is there. */
  revive(origin: string): void;
  /** Removes what these origins have stated before, but for these keys. */
  sweep(
    origins: ReadonlySet<string>,
    claimed: ReadonlySet<string>,
    stamp: Stamp,
  ): void;
  said(from: Speaker, kind: string, body: string): void;
}

/** Who says something that is not in a table. */
export interface Speaker {
  /** As configured: host and port, or path. */
  readonly name: string;
  /** Of the process, another one after each start. */
  readonly instance: string;
}

/** Earlier instances of a server, whose statements may still be about. */
const MAX_ORIGINS = 8;

export class Following {
  readonly #name: string;
  readonly #self: string;
  readonly #learner: Learner;
  /** The instance that was heard last, if it answered the hello. */
  #instance: string | undefined;
  /** Up to where it was heard without a gap; 0 before a whole table was. */
  #revision = 0;
  /** What is stated in a whole table that is not complete yet. */
  #table: { readonly stamp: Stamp; readonly claimed: Set<string> } | undefined;
  readonly #origins = new Set<string>();
  #isWelcome = false;
  #hasAll = false;

  /** @param self The own instance */
  constructor(name: string, self: string, learner: Learner) {
    this.#name = name;
    this.#self = self;
    this.#learner = learner;
  }

  /** Whether the server has answered on this connection: it is one of ours. */
  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** Whether all that the server knew was heard on this connection. */
  get hasAll(): boolean {
    return this.#isWelcome && this.#hasAll;
  }

  /** Of the server on this connection, if it is one of ours. */
  get instance(): string | undefined {
    return this.#isWelcome ? this.#instance : undefined;
  }

  /** Whether the server on this connection says that it is this very process. */
  get isItself(): boolean {
    return this.instance === this.#self;
  }

  /** The first that is said on a connection. */
  hello(): string {
    return formatHello({
      from: this.#self,
      known: this.#instance,
      revision: this.#revision,
    });
  }

  /** The next hello asks for the whole table. */
  forget(): void {
    this.#revision = 0;
  }

  /** The connection is broken. */
  lost(): void {
    this.#isWelcome = false;
    this.#hasAll = false;
    this.#table = undefined;
  }

  /** @throws {SyncError} if it is nothing that a server may say now */
  take(text: Uint8Array): void {
    const message = parseMessage(text);
    if (message !== undefined) this.#handle(message);
  }

  #handle(message: ServerMessage): void {
    if ((message.word === "welcome") === this.#isWelcome) {
      throw new SyncError(
        "input stream error",
        `Cannot follow a server: '${message.word}' is out of turn`,
      );
    }
    switch (message.word) {
      case "welcome":
        return this.#begin(message);
      case "put":
        return this.#put(message);
      case "gone":
        return this.#remove(message);
      case "say":
        return this.#learner.said(
          { name: this.#name, instance: this.#instance ?? "" },
          message.kind,
          message.body,
        );
      default:
        return this.#progress(message);
    }
  }

  #begin({ instance, since, version }: Welcome): void {
    const isOther = instance !== this.#instance;
    if (since !== 0 && (isOther || since !== this.#revision)) {
      throw new SyncError(
        "input stream error",
        "Cannot follow a server: it goes on where nothing was heard",
      );
    }
    if (isOther && this.#instance !== undefined) {
      this.#learner.supersede(this.#instance, version);
    }
    this.#learner.revive(instance);
    this.#instance = instance;
    this.#isWelcome = true;
    this.#noteOrigin(instance);
    if (since !== 0) return;
    this.#revision = 0;
    this.#table = {
      stamp: { version, origin: instance },
      claimed: new Set(),
    };
  }

  #put({ revision, stamp, record }: Put): void {
    this.#learner.put(record, stamp);
    if (this.#table !== undefined && stamp?.origin === this.#instance) {
      const subject = subjectOf(record);
      // There are no more of them than the learner has room for.
      if (this.#learner.holds(subject)) this.#table.claimed.add(keyOf(subject));
    }
    this.#reach(revision);
  }

  #remove({ revision, stamp, subject }: Gone): void {
    this.#learner.remove(subject, stamp);
    this.#reach(revision);
  }

  #progress({ word, revision }: Progress): void {
    const table = this.#table;
    if (word !== "at") this.#hasAll = true;
    if (table !== undefined && word !== "at") {
      this.#table = undefined;
      if (word === "all") {
        this.#learner.sweep(this.#origins, table.claimed, table.stamp);
      }
    }
    this.#reach(revision);
  }

  /** A table that breaks off is begun anew: what is missing is not known. */
  #reach(revision: number): void {
    if (this.#table === undefined && revision > this.#revision) {
      this.#revision = revision;
    }
  }

  #noteOrigin(instance: string): void {
    this.#origins.delete(instance);
    this.#origins.add(instance);
    const [first] = this.#origins;
    if (this.#origins.size > MAX_ORIGINS && first !== undefined) {
      this.#origins.delete(first);
    }
  }
}
