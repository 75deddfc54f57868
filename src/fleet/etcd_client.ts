// Client of etcd's gateway of HTTP and JSON: ranges and transactions
// (etcd.io/docs/v3.4/dev-guide/api_grpc_gateway).
import {
  type Header,
  type KeyValue,
  type RangeAnswer,
  readRange,
  readRanges,
  readTransaction,
  toText,
} from "./etcd_json.ts";
import { EtcdPages } from "./etcd_pages.ts";
import { EtcdSession, type EtcdSessionOptions } from "./etcd_session.ts";
import { type WatchMessage, watchMessages } from "./etcd_watch.ts";
import { keptValue, TOO_LONG } from "./layout.ts";
import { StoreError } from "./store_error.ts";

interface EtcdClientOptions extends EtcdSessionOptions {
  /** Of all keys and values of a range. */
  readonly maxCharacters?: number;
}

/** What must hold for a transaction, all of it. */
export type Comparison =
  /** That there is no such key. */
  | { readonly key: string; readonly isMissing: true }
  /** That nobody has changed it since. */
  | { readonly key: string; readonly modRevision: number };

export type Operation =
  | { readonly put: string; readonly value: string }
  | { readonly delete: string };

/** What is asked of the store as it was at one revision. */
type RangeQuestion =
  | { readonly key: string }
  /** How many keys begin so. */
  | { readonly prefix: string; readonly isCount: true }
  /** Whether one was changed at that revision, or behind it. */
  | { readonly prefix: string; readonly since: number };

export interface Range {
  /** Of the store as it answered: what a watch goes on from. */
  readonly header: Header;
  readonly entries: readonly KeyValue[];
}

/** More than all that can be of use: a client has a mux of its own. */
const MAX_ENTRIES = 3 << 16;

/** Characters of all keys and values of a range: memory that a host has. */
const MAX_CHARACTERS = 512 << 20;

export class EtcdClient {
  readonly #session: EtcdSession;
  readonly #maxCharacters: number;

  constructor(options: EtcdClientOptions) {
    this.#session = new EtcdSession(options);
    this.#maxCharacters = options.maxCharacters ?? MAX_CHARACTERS;
  }

  /** The member that is asked first. */
  get origin(): string {
    return this.#session.origin;
  }

  /** A member that does not answer: another one is asked next. */
  turn(): void {
    this.#session.turn();
  }

  /**
   * All keys that begin so, as they were at one revision. Of a value that is too
   * long to be of use it has nothing but that.
   * @throws {StoreError}
   */
  async range(prefix: string): Promise<Range> {
    const end = toText(endOfPrefix(prefix));
    const entries: KeyValue[] = [];
    const maxCharacters = this.#maxCharacters;
    const pages = new EtcdPages(this.#session);
    let from = toText(prefix);
    let header: Header | undefined;
    let characters = 0;
    for (;;) {
      const page = await pages.read({
        key: from,
        range_end: end,
        ...(header && { revision: String(header.revision) }),
      });
      // Later pages have to fit the first one, whatever is written meanwhile.
      header ??= page.header;
      if (page.header.cluster !== header.cluster) {
        throw new StoreError("its pages are those of two stores");
      }
      if (entries.length + page.entries.length > MAX_ENTRIES) {
        throw new StoreError(`there are more than ${MAX_ENTRIES} keys`);
      }
      for (const entry of page.entries) {
        const value = keptValue(entry.value);
        // They are one and the same, and take no memory.
        const length = value === TOO_LONG ? 0 : value.length;
        characters += entry.key.length + length;
        entries.push({ ...entry, value });
      }
      if (characters > maxCharacters) {
        throw new StoreError(
          `keys and values have over ${maxCharacters} characters`,
        );
      }
      if (page.next === undefined) return { header, entries };
      from = page.next;
    }
  }

  /**
   * Where the store is now, asked of a majority of its members.
   * @throws {StoreError}
   */
  async header(prefix: string): Promise<Header> {
    const body = { key: toText(prefix), limit: "1", keys_only: true };
    return readRange(await this.#session.read("/v3/kv/range", body)).header;
  }

  /**
   * Changes of keys that begin so, until the signal is aborted. No bound in time
   * is kept: see {@linkcode EtcdClient.header}.
   * @param from The first revision that is of interest
   * @throws {StoreError} also when the store ends it
   */
  async *watch(
    prefix: string,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchMessage> {
    const body = {
      create_request: {
        key: toText(prefix),
        range_end: toText(endOfPrefix(prefix)),
        start_revision: String(from),
        progress_notify: true,
      },
    };
    yield* watchMessages(this.#session.stream("/v3/watch", body, signal));
  }

  /**
   * Several answers, one to each question, in one.
   * @throws {StoreError} also if that revision is forgotten, or was never
   */
  async rangesAt(
    revision: number,
    questions: readonly RangeQuestion[],
  ): Promise<readonly RangeAnswer[]> {
    const success = questions.map((question) => ({
      request_range: { ...rangeBody(question), revision: String(revision) },
    }));
    return readRanges(await this.#session.read("/v3/kv/txn", { success }));
  }

  /** @returns undefined if there is no such key */
  async get(key: string): Promise<KeyValue | undefined> {
    const pages = new EtcdPages(this.#session, 1);
    const { entries } = await pages.read({ key: toText(key) });
    return entries.at(0);
  }

  /**
   * Does all operations, or none, if something does not hold. It is sent once:
   * after an error that is `isUnreachable` it may have been done.
   * @returns Whether all comparisons held
   * @throws {StoreError}
   */
  async transact(
    comparisons: readonly Comparison[],
    operations: readonly Operation[],
  ): Promise<boolean> {
    const answer = await this.#session.askOnce("/v3/kv/txn", {
      compare: comparisons.map(comparisonBody),
      success: operations.map(operationBody),
    });
    return readTransaction(answer);
  }
}

/** The first key behind all that begin so: etcd compares bytes. */
export function endOfPrefix(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

function rangeBody(question: RangeQuestion): object {
  if ("key" in question) return { key: toText(question.key) };
  const { prefix } = question;
  const all = { key: toText(prefix), range_end: toText(endOfPrefix(prefix)) };
  if ("isCount" in question) return { ...all, count_only: true };
  const min_mod_revision = String(question.since);
  return { ...all, min_mod_revision, limit: "1", keys_only: true };
}

function comparisonBody(comparison: Comparison): unknown {
  const key = toText(comparison.key);
  return "isMissing" in comparison
    ? { key, target: "CREATE", create_revision: "0" }
    : { key, target: "MOD", mod_revision: String(comparison.modRevision) };
}

function operationBody(operation: Operation): unknown {
  return "put" in operation
    ? {
      request_put: {
        key: toText(operation.put),
        value: toText(operation.value),
      },
    }
    : { request_delete_range: { key: toText(operation.delete) } };
}
