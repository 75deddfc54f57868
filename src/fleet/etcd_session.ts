// Session with the members of one etcd: which of them is asked, who asks, and
// what an answer may be at the most.
import { reasonOf } from "../log/reason.ts";
import { withHint } from "./hints.ts";
import { StoreError } from "./store_error.ts";
import { fromText, readError, readToken } from "./etcd_json.ts";

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

export interface EtcdSessionOptions {
  /** Of the members of one cluster, such as `https://192.0.2.7:2379`. */
  readonly origins: readonly string[];
  /** Undefined where the store asks nobody who it is. */
  readonly login?: Login | undefined;
  readonly post: Post;
  /** A signal that aborts after so many ms. */
  readonly timeout: (ms: number) => AbortSignal;
}

const ANSWER_MS = 5000;

/** Bytes of an answer: many times what a page of clients has. */
export const MAX_ANSWER = 4 << 20;

/** Of gRPC: whoever asked is not known (any more). */
const UNAUTHENTICATED = 16;

export class EtcdSession {
  readonly #options: EtcdSessionOptions;
  /** Of `origins`, the one that has answered last. */
  #at = 0;
  #token: string | undefined;

  constructor(options: EtcdSessionOptions) {
    this.#options = options;
  }

  /** The member that is asked first. */
  get origin(): string {
    const { origins } = this.#options;
    return origins[this.#at % origins.length] ?? "";
  }

  /** A member that does not answer: another one is asked next. */
  turn(): void {
    this.#at = (this.#at + 1) % this.#options.origins.length;
    // Simple tokens are known to the member that gave them.
    this.#token = undefined;
  }

  /** Asks the others where one does not answer, and logs in where it must. */
  async read(path: string, body: unknown): Promise<unknown> {
    let left = this.#options.origins.length;
    let isNew = this.#token === undefined;
    for (;;) {
      try {
        await this.#logIn();
        return await this.#ask(this.origin, path, body);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (isStale(error) && !isNew) {
          isNew = true;
          this.#token = undefined;
        } else if (error.isUnreachable && --left > 0) this.turn();
        else throw error;
      }
    }
  }

  /**
   * Asks the member that is asked first, and only once: what is not to be done
   * twice.
   */
  async askOnce(path: string, body: unknown): Promise<unknown> {
    await this.#logIn();
    return await this.#ask(this.origin, path, body);
  }

  /**
   * An answer without end, until the signal is aborted.
   * @throws {StoreError}
   */
  async *stream(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { origin } = this;
    try {
      await this.#logIn();
      const response = await this.#options.post(`${origin}${path}`, {
        body: JSON.stringify(body),
        headers: this.#headers(),
        signal,
      });
      if (!response.ok) {
        const text = fromText(await bytesOf(response));
        throw readError(response.status, text);
      }
      yield* response.body ?? [];
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw unreachable(origin, error, signal);
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
    let received = 0;
    try {
      const response = await post(`${origin}${path}`, {
        body: JSON.stringify(body),
        headers,
        signal,
      });
      const bytes = await bytesOf(response, (length) => received = length);
      const text = fromText(bytes);
      if (!response.ok) throw readError(response.status, text);
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw unreachable(origin, error, signal, received);
    }
  }
}

/** Also after somebody has changed users or roles. */
function isStale({ code, message }: StoreError): boolean {
  return code === UNAUTHENTICATED ||
    message.includes("revision in header is old");
}

function unreachable(
  origin: string,
  error: unknown,
  signal: AbortSignal,
  received = 0,
): StoreError {
  if (error instanceof SyntaxError) {
    return new StoreError(`${origin} answers with what is no JSON`);
  }
  const reason = signal.aborted
    ? `no ${received > 0 ? "whole " : ""}answer within ${ANSWER_MS / 1000} s`
    : rootOf(error);
  return new StoreError(withHint(`Cannot reach ${origin}: ${reason}`), {
    isUnreachable: true,
    isTooLong: signal.aborted && received > 0,
    received,
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

/** @throws {StoreError} if it is longer than what is taken */
async function bytesOf(
  response: Response,
  came: (length: number) => void = () => {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    came(length);
    if (length > MAX_ANSWER) {
      const text = `an answer is longer than ${MAX_ANSWER} bytes`;
      throw new StoreError(text, { isTooLong: true });
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
