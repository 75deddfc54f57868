/**
 * Members of ours that state and learn things, and links between them over
 * which frames go when the test says so.
 *
 * @module
 */
import { encodeRecord } from "../../src/sync/encode.ts";
import {
  keyOf,
  parseHello,
  type Stamp,
  type Subject,
  subjectOf,
} from "../../src/sync/extension.ts";
import type { Feed, FeedCursor } from "../../src/sync/feed.ts";
import {
  Following,
  type Learner,
  type Speaker,
} from "../../src/sync/following.ts";
import { RecordReader } from "../../src/sync/framing.ts";
import { Ledger } from "../../src/sync/ledger.ts";
import { LedgerFeed } from "../../src/sync/ledger_feed.ts";
import { statementOfRecord } from "../../src/sync/statement.ts";
import type { SyncRecord } from "../../src/sync/record.ts";

/** What all of them take for the time, in ms. */
export interface MeshClock {
  now: number;
}

/** A name as a process has it, with one letter for all of its digits. */
export function instanceOf(letter: string): string {
  return letter.repeat(16);
}

/** A member without a data plane, or a control daemon. */
export class MeshMember implements Learner {
  readonly ledger: Ledger;
  readonly feed: LedgerFeed;
  readonly records = new Map<string, SyncRecord>();
  readonly heard: string[] = [];
  isComplete = true;

  constructor(letter: string, clock: MeshClock) {
    this.ledger = new Ledger({
      instance: instanceOf(letter),
      now: () => clock.now,
      elapsed: () => clock.now,
    });
    this.feed = new LedgerFeed(this.ledger, {
      record: (subject) => {
        const record = this.records.get(keyOf(subject));
        return record && encodeRecord(record);
      },
      isComplete: () => this.isComplete,
    });
  }

  /** States a record of its own. */
  state(record: SyncRecord): void {
    const subject = subjectOf(record);
    this.records.set(keyOf(subject), record);
    this.ledger.claim(subject, statementOfRecord(record));
  }

  /** States it no more. */
  withdraw(record: SyncRecord): void {
    this.records.delete(keyOf(subjectOf(record)));
    this.ledger.withdraw(subjectOf(record));
  }

  /** Whether this very record is in force. */
  has(record: SyncRecord): boolean {
    const own = this.records.get(keyOf(subjectOf(record)));
    return own !== undefined && encodeRecord(own) === encodeRecord(record);
  }

  put(record: SyncRecord, stamp: Stamp | undefined): void {
    const subject = subjectOf(record);
    const statement = statementOfRecord(record);
    const verdict = stamp === undefined
      ? this.ledger.learnPlain(subject, statement)
      : this.ledger.learn(subject, statement, stamp);
    if (verdict !== "old") this.records.set(keyOf(subject), record);
  }

  holds(subject: Subject): boolean {
    return this.ledger.get(subject) !== undefined;
  }

  remove(subject: Subject, stamp: Stamp): void {
    if (this.ledger.remove(subject, stamp)) this.records.delete(keyOf(subject));
  }

  supersede(origin: string, version: number): void {
    this.ledger.supersede(origin, version);
  }

  revive(origin: string): void {
    this.ledger.revive(origin);
  }

  sweep(...args: Parameters<Learner["sweep"]>): void {
    const [origins, claimed, stamp] = args;
    for (const one of this.ledger.unclaimed(origins, claimed, stamp)) {
      this.remove(one, stamp);
    }
  }

  said({ name }: Speaker, kind: string, body: string): void {
    this.heard.push(`${name} ${kind} ${body}`);
  }
}

/** How one member follows another, or whatever takes its place. */
export class MeshLink {
  readonly following: Following;
  /** Characters of all frames so far. */
  bytes = 0;
  /** First words of the frames so far. */
  readonly words: string[] = [];
  #cursor: FeedCursor | undefined;

  constructor(
    readonly client: MeshMember,
    public server: { readonly feed: Feed },
  ) {
    const { instance } = client.ledger;
    this.following = new Following("server", instance, client);
  }

  /** Connects, and says nothing yet. */
  enter(): void {
    this.#cursor = this.server.feed.enter();
  }

  /** Connects, with what the client remembers. */
  connect(): void {
    const hello = parseHello(this.following.hello().slice(6));
    if (hello === undefined) throw new Error("no hello");
    this.#cursor ??= this.server.feed.enter();
    this.#cursor.begin(hello);
  }

  cut(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
    this.following.lost();
  }

  /** Carries what there is, or about so much of it. */
  carry(most = Infinity): void {
    const text = this.#cursor?.take(most) ?? "";
    this.bytes += text.length;
    const reader = new RecordReader();
    for (const frame of reader.push(new TextEncoder().encode(text))) {
      const [word = ""] = new TextDecoder().decode(frame).split(" ");
      this.words.push(word);
      this.following.take(frame);
    }
  }

  /** Tells how far it has come. */
  progress(): void {
    const text = this.#cursor?.progress() ?? "";
    const frame = new TextEncoder().encode(text.slice(6));
    if (text !== "") this.following.take(frame);
  }
}

/** Every one follows every other; all is carried until nothing comes. */
export function mesh(
  members: readonly MeshMember[],
): { readonly links: readonly MeshLink[]; readonly settle: () => void } {
  const links = members.flatMap((client) =>
    members.filter((server) => server !== client)
      .map((server) => new MeshLink(client, server))
  );
  const settle = () => {
    for (let before = -1; before !== bytesOf(links);) {
      before = bytesOf(links);
      for (const link of links) link.carry();
    }
  };
  for (const link of links) link.connect();
  settle();
  return { links, settle };
}

function bytesOf(links: readonly MeshLink[]): number {
  return links.reduce((sum, { bytes }) => sum + bytes, 0);
}
