// Client of etcd's gateway of HTTP and JSON: ranges and transactions
// (etcd.io/docs/v3.4/dev-guide/api_grpc_gateway).
import { reasonOf } from "../log/reason.ts";
import {
  fromText,
  type Header,
  type KeyValue,
  readError,
  readRange,
  readToken,
  readTransaction,
  toText,
} from "./etcd_json.ts";
import { type WatchMessage, watchMessages } from "./etcd_watch.ts";
import { EngineError } from "./engine_error.ts";

/** As `fetch()`, with certificates of its own. */
export type Post = (
  url: string,
  request: {
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

export interface Login {
  readonly name: string;
  readonly password: string;
}

export interface EtcdClientOptions {
  /** Of the members of one cluster, such as `https://192.0.2.7:2379`. */
  readonly origins: readonly string[];
  /** Undefined where the engine asks nobody who it is. */
  readonly login?: Login | undefined;
  readonly post: Post;
  /** A signal that aborts after so many ms. */
  readonly timeout: (ms: number) => AbortSignal;
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

export interface Range {
  /** Of the engine as it answered: what a watch goes on from. */
  readonly header: Header;
  readonly entries: readonly KeyValue[];
}

const ANSWER_MS = 5000;

/** Entries that one answer has: a few hundred kB. */
const PAGE = 500;

/** More than all that can be of use: a client has a mux of its own. */
const MAX_ENTRIES = 3 << 16;

/** Bytes of an answer: a page of the largest values that are put here. */
const MAX_ANSWER = 64 << 20;

/** Characters of all keys and values of a range: memory that a host has. */
const MAX_CHARACTERS = 512 << 20;

/** Of gRPC: whoever asked is not known (any more). */
const UNAUTHENTICATED = 16;

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  /** Of `origins`, the one that has answered last. */
  #at = 0;
  #token: string | undefined;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
  }

  /** The member that is asked first. */
  get origin(): string {
    const { origins } = this.#options;
    return origins[this.#at % origins.length] ?? "";
  }

  /**
   * All keys that begin so, as they were at one revision.
   * @throws {EngineError}
   */
  async range(prefix: string): Promise<Range> {
    const end = toText(endOfPrefix(prefix));
    const entries: KeyValue[] = [];
    const { maxCharacters = MAX_CHARACTERS } = this.#options;
    let from = toText(prefix);
    let header: Header | undefined;
    let characters = 0;
    for (;;) {
      const page = readRange(
        await this.#read("/v3/kv/range", {
          key: from,
          range_end: end,
          limit: String(PAGE),
          ...(header && { revision: String(header.revision) }),
        }),
      );
      // Later pages have to fit the first one, whatever is written meanwhile.
      header ??= page.header;
      if (entries.length + page.entries.length > MAX_ENTRIES) {
        throw new EngineError(`there are more than ${MAX_ENTRIES} keys`);
      }
      for (const entry of page.entries) {
        characters += entry.key.length + entry.value.length;
        entries.push(entry);
      }
      if (characters > maxCharacters) {
        throw new EngineError(
          `keys and values have over ${maxCharacters} characters`,
        );
      }
      if (page.next === undefined) return { header, entries };
      from = page.next;
    }
  }

  /**
   * Where the engine is now, asked of a majority of its members.
   * @throws {EngineError}
   */
  async header(prefix: string): Promise<Header> {
    const body = { key: toText(prefix), limit: "1", keys_only: true };
    return readRange(await this.#read("/v3/kv/range", body)).header;
  }

  /**
   * Changes of keys that begin so, until the signal is aborted. No bound in time
   * is kept: see {@linkcode EtcdClient.header}.
   * @param from The first revision that is of interest
   * @throws {EngineError} also when the engine ends it
   */
  async *watch(
    prefix: string,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchMessage> {
    const { origin } = this;
    try {
      const response = await this.#options.post(`${origin}/v3/watch`, {
        body: JSON.stringify({
          create_request: {
            key: toText(prefix),
            range_end: toText(endOfPrefix(prefix)),
            start_revision: String(from),
            progress_notify: true,
          },
        }),
        headers: await this.headers(),
        signal,
      });
      if (!response.ok) {
        const text = fromText(await bytesOf(response));
        throw readError(response.status, text);
      }
      yield* watchMessages(response.body ?? []);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw unreachable(origin, error, signal);
    }
  }

  /** @returns undefined if there is no such key */
  async get(key: string): Promise<KeyValue | undefined> {
    const answer = await this.#read("/v3/kv/range", { key: toText(key) });
    return readRange(answer).entries.at(0);
  }

  /**
   * Does all operations, or none, if something does not hold. It is sent once:
   * after an error that is `isUnreachable` it may have been done.
   * @returns Whether all comparisons held
   * @throws {EngineError}
   */
  async transact(
    comparisons: readonly Comparison[],
    operations: readonly Operation[],
  ): Promise<boolean> {
    await this.#logIn();
    const answer = await this.#ask(this.origin, "/v3/kv/txn", {
      compare: comparisons.map(comparisonBody),
      success: operations.map(operationBody),
    });
    return readTransaction(answer);
  }

  /** Headers of a request, with the right to make it. */
  async headers(): Promise<Readonly<Record<string, string>>> {
    await this.#logIn();
    return this.#headers();
  }

  /** After an answer that says so: the next request logs in anew. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** A member that does not answer: another one is asked next. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#options.origins.length;
    // Simple tokens are known to the member that gave them.
    this.#token = undefined;
  }

  /** Asks the others where one does not answer, and logs in where it must. */
  async #read(path: string, body: unknown): Promise<unknown> {
    let left = this.#options.origins.length;
    let isNew = this.#token === undefined;
    for (;;) {
      try {
        await this.#logIn();
        return await this.#ask(this.origin, path, body);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        if (isStale(error) && !isNew) {
          isNew = true;
          this.forgetToken();
        } else if (error.isUnreachable && --left > 0) this.turn();
        else throw error;
      }
    }
  }

  #headers(): Readonly<Record<string, string>> {
    const token = this.#token;
    return {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: token }),
    };
  }

  async #logIn(): Promise<void> {
    const { login } = this.#options;
    if (login === undefined || this.#token !== undefined) return;
    const answer = await this.#ask(this.origin, "/v3/auth/authenticate", login);
    this.#token = readToken(answer);
  }

  async #ask(origin: string, path: string, body: unknown): Promise<unknown> {
    const { post, timeout } = this.#options;
    const headers = this.#headers();
    const signal = timeout(ANSWER_MS);
    try {
      const response = await post(`${origin}${path}`, {
        body: JSON.stringify(body),
        headers,
        signal,
      });
      const text = fromText(await bytesOf(response));
      if (!response.ok) throw readError(response.status, text);
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw unreachable(origin, error, signal);
    }
  }
}

/** Also after somebody has changed users or roles. */
function isStale({ code, message }: EngineError): boolean {
  return code === UNAUTHENTICATED ||
    message.includes("revision in header is old");
}

/** The first key behind all that begin so: etcd compares bytes. */
export function endOfPrefix(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

function unreachable(
  origin: string,
  error: unknown,
  signal: AbortSignal,
): EngineError {
  if (error instanceof SyntaxError) {
    return new EngineError(`${origin} answers with what is no JSON`);
  }
  const reason = signal.aborted
    ? `no answer within ${ANSWER_MS / 1000} s`
    : rootOf(error);
  return new EngineError(`Cannot reach ${origin}: ${reason}`, {
    isUnreachable: true,
    cause: error,
  });
}

/** What `fetch()` says itself is that it has failed. */
function rootOf(error: unknown): string {
  const isOuter = error instanceof Error && error.cause instanceof Error;
  const text = isOuter ? rootOf(error.cause) : reasonOf(error);
  // The runtime names the address and each layer: the last one is the reason.
  return text.replace(/^.*(?:client error \(\w+\)|connection error): /s, "");
}

/** @throws {EngineError} if it is longer than any that is right */
async function bytesOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER) {
      throw new EngineError(`an answer is longer than ${MAX_ANSWER} bytes`);
    }
    chunks.push(chunk);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
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
