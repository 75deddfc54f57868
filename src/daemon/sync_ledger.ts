// Ledger of a member of a cluster: what it states itself and learns from others,
// and what of it takes effect (docs/sync-extension.md).
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Route } from "../route/route.ts";
import type { RecordApplier } from "../sync/apply.ts";
import { encodeRecord } from "../sync/encode.ts";
import {
  keyOf,
  type Stamp,
  type Subject,
  subjectOf,
} from "../sync/extension.ts";
import type { Learner, Speaker } from "../sync/following.ts";
import type { Ledger } from "../sync/ledger.ts";
import { LedgerFeed } from "../sync/ledger_feed.ts";
import { statementOfRecord } from "../sync/statement.ts";
import type { SyncRecord } from "../sync/record.ts";
import type { SyncState } from "./sync_state.ts";

interface SyncLedgerOptions {
  readonly ledger: Ledger;
  readonly state: SyncState;
  readonly applier: RecordApplier;
  /** Of the connection that options give keys for. */
  readonly ownMux: number | undefined;
  /** Others are to hear of a change. */
  readonly wake: () => void;
  readonly said: (from: Speaker, kind: string, body: string) => void;
  /** Keys of this statement are in force. */
  readonly settled: (mux: number, statement: string) => void;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

export class SyncLedger implements Learner {
  readonly feed: LedgerFeed;
  readonly #options: SyncLedgerOptions;
  readonly #ledger: Ledger;
  readonly #state: SyncState;
  /**
   * By keys, what options of this member state, where routes lead: others cannot
   * take it away.
   */
  readonly #own = new Map<string, Route | "connection">();

  constructor(options: SyncLedgerOptions) {
    const { ledger, ownMux, state } = options;
    this.#options = options;
    this.#ledger = ledger;
    this.#state = state;
    if (ownMux !== undefined) {
      this.#own.set(
        keyOf({ command: "connection", mux: ownMux }),
        "connection",
      );
    }
    this.feed = new LedgerFeed(ledger, {
      record: (subject, statement) => this.#record(subject, statement),
      prepare: () => this.#noteAll(),
      isComplete: () => ownMux === undefined || state.isKnown(ownMux),
    });
  }

  /** A connection is new, has other keys of its own, or its peer has moved. */
  moved(mux: number): void {
    const subject: Subject = { command: "connection", mux };
    if (!this.#isOwn(subject)) return this.#ledger.touch(subject);
    this.#options.settled(mux, this.#state.statement(mux));
    // The original has no connection before it has heard from the peer.
    if (!this.#state.isKnown(mux)) return;
    this.#own.set(keyOf(subject), "connection");
    this.#ledger.claim(subject, this.#state.statement(mux));
  }

  claimRoute(route: Route): void {
    const subject: Subject = { command: "route", ...route };
    this.#own.set(keyOf(subject), route);
    this.#ledger.claim(subject, String(route.mux));
  }

  withdrawRoute(route: Route): void {
    const subject: Subject = { command: "route", ...route };
    this.#own.delete(keyOf(subject));
    this.#ledger.withdraw(subject);
  }

  put(record: SyncRecord, stamp: Stamp | undefined): void {
    const { applier } = this.#options;
    if (!applier.accepts(record)) return;
    if (stamp !== undefined) this.#checkClock(stamp);
    const subject = subjectOf(record);
    if (this.#isOwn(subject)) this.#own.set(keyOf(subject), "connection");
    const statement = statementOfRecord(record);
    const verdict = stamp === undefined
      ? this.#ledger.learnPlain(subject, statement)
      : this.#ledger.learn(subject, statement, stamp);
    // Where a peer is, and how far it has counted, is news in either case.
    if (verdict === "old") return;
    applier.apply(record);
    if (record.command === "connection") {
      this.#options.settled(record.mux, statement);
    }
  }

  remove(subject: Subject, stamp: Stamp): void {
    this.#checkClock(stamp);
    const statement = this.#ledger.get(subject)?.statement;
    if (!this.#ledger.remove(subject, stamp)) return;
    const own = this.#own.get(keyOf(subject));
    if (own !== undefined) this.#keep(subject, own);
    else this.#takeAway(subject, statement);
    this.#options.wake();
  }

  holds(subject: Subject): boolean {
    return this.#ledger.get(subject) !== undefined;
  }

  supersede(origin: string, version: number): void {
    this.#ledger.supersede(origin, version);
  }

  revive(origin: string): void {
    this.#ledger.revive(origin);
  }

  sweep(
    origins: ReadonlySet<string>,
    claimed: ReadonlySet<string>,
    stamp: Stamp,
  ): void {
    for (const one of this.#ledger.unclaimed(origins, claimed, stamp)) {
      this.remove(one, stamp);
    }
  }

  said(from: Speaker, kind: string, body: string): void {
    this.#options.said(from, kind, body);
  }

  #checkClock(stamp: Stamp): void {
    if (!this.#ledger.isAhead(stamp)) return;
    this.#options.limited.write("warning", "sync clock", () => ({
      text: `sync: what member ${stamp.origin} has stated is more than five ` +
        "minutes ahead of the clock here: set the clocks, or what is removed " +
        "may come back",
      fields: {},
    }));
  }

  /** What options of this member state, it goes on stating. */
  #keep(subject: Subject, own: Route | "connection"): void {
    if (own !== "connection") {
      this.#state.putRoute(own);
      this.#ledger.reclaim(subject, String(own.mux));
    } else if (subject.command === "connection") {
      if (!this.#state.exists(subject.mux)) return;
      this.#ledger.reclaim(subject, this.#state.statement(subject.mux));
    }
  }

  #takeAway(subject: Subject, statement: string | undefined): void {
    if (subject.command === "connection") {
      this.#state.removeConnection(subject.mux);
    } else if (statement !== undefined) {
      this.#state.removeRoute({ ...subject, mux: Number(statement) });
    }
    this.#options.limited.write("notice", "sync removal", () => ({
      text: `sync: ${keyOf(subject)} was removed`,
      fields: {},
    }));
  }

  #isOwn(subject: Subject): boolean {
    return subject.command === "connection" && this.#state.isOwn(subject.mux);
  }

  /** Of those whose peer is not known nobody has been told yet. */
  #noteAll(): void {
    for (const mux of this.#state.muxes()) {
      const subject: Subject = { command: "connection", mux };
      if (this.#ledger.get(subject) !== undefined) continue;
      if (this.#isOwn(subject)) this.moved(mux);
      else this.#ledger.note(subject, this.#state.statement(mux));
    }
  }

  #record(subject: Subject, statement: string): string | undefined {
    if (subject.command === "connection") {
      return this.#state.connection(subject.mux);
    }
    return encodeRecord({ ...subject, mux: Number(statement) });
  }
}
