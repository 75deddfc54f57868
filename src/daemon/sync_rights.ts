// Rights of members that only learn: they tell where peers are and how far numbers
// have come, of connections that are known here, and of themselves
// (docs/sync-extension.md, "Who is right").
//
// The ledger never hears of anything that they state: neither what they say nor
// its stamp can stand in the way of what a control daemon says, whoever is heard
// first.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { RecordApplier } from "../sync/apply.ts";
import { keyOf, type Subject, subjectOf } from "../sync/extension.ts";
import type { Learner, Speaker } from "../sync/following.ts";
import type { Ledger } from "../sync/ledger.ts";
import { statementOfRecord } from "../sync/statement.ts";
import type { SyncRecord } from "../sync/record.ts";
import { type ToldPeer, ToldPeers } from "../sync/told_peers.ts";
import type { SyncState } from "./sync_state.ts";

interface SyncRightsOptions {
  readonly ledger: Pick<Ledger, "get">;
  readonly state: Pick<SyncState, "exists" | "hasKeysOf" | "isChained">;
  readonly applier: Pick<RecordApplier, "learn">;
  /** Whether those who may state something have told what they know. */
  readonly isInformed: () => boolean;
  readonly said: (from: Speaker, kind: string, body: string) => void;
  /** For lines that others cause. */
  readonly limited: RateLimitedLog;
}

export class SyncRights {
  readonly #options: SyncRightsOptions;
  readonly #told = new ToldPeers();
  #passedOver = 0;

  constructor(options: SyncRightsOptions) {
    this.#options = options;
  }

  /** Statements of members that did not count. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /** @param name Of the member, as configured */
  learnerOf(name: string): Learner {
    return {
      put: (record) => this.#put(name, record),
      holds: () => false,
      remove: (subject) => this.#remove(name, subject),
      supersede() {},
      revive() {},
      sweep() {},
      said: this.#options.said,
    };
  }

  /** These keys are in force: what members have told of their peer counts now. */
  settled(mux: number, statement: string): void {
    // A control daemon may state that of a key chain before there is one.
    if (!this.#options.state.exists(mux)) return;
    const told = this.#told.take(mux, statement);
    if (told !== undefined) this.#learn(told, statement);
  }

  #put(name: string, record: SyncRecord): void {
    const { ledger } = this.#options;
    const subject = subjectOf(record);
    if (record.command === "route") {
      if (ledger.get(subject)?.statement === statementOfRecord(record)) return;
      return this.#passOver(name, subject, "states");
    }
    const statement = statementOfRecord(record);
    if (this.#learn(record, statement)) return;
    this.#told.note(name, statement, record);
    this.#passOver(name, subject, "states");
  }

  /** @returns Whether it is of a connection that there is, with such keys */
  #learn(told: ToldPeer, statement: string): boolean {
    const { applier, state } = this.#options;
    const hasKeys = state.hasKeysOf(told.mux, statement);
    if (!hasKeys && !state.isChained(told.mux)) return false;
    // Members are not in the same epoch at the same time; numbers are of one.
    applier.learn(hasKeys ? told : { ...told, seq: 0 });
    return true;
  }

  #remove(name: string, subject: Subject): void {
    const { ledger, state } = this.#options;
    const isConnection = subject.command === "connection";
    if (isConnection) this.#told.forget(name, subject.mux);
    const isThere = ledger.get(subject) !== undefined ||
      isConnection && state.exists(subject.mux);
    if (isThere) this.#passOver(name, subject, "takes back");
  }

  // Before a control daemon was heard nobody can tell what it does not state.
  #passOver(name: string, subject: Subject, does: string): void {
    if (!this.#options.isInformed()) return;
    this.#passedOver++;
    this.#options.limited.write("warning", "sync rights", () => ({
      text: `sync: ${name} ${does} ${keyOf(subject)}, and no control host ` +
        "does: passed over, as members only learn (--member-rights)",
      fields: {},
    }));
  }
}
