// A range of keys in pages, which have as many of them as fit into an answer.
import { type RangeAnswer, readRange } from "./etcd_json.ts";
import { type EtcdSession, MAX_ANSWER } from "./etcd_session.ts";
import { MAX_CLIENT_BYTES, TOO_LONG } from "./layout.ts";
import { StoreError } from "./store_error.ts";

/** Entries that one answer has: a few hundred kB. */
const PAGE = 500;

/** Of them, where an answer was too long. */
const SHARE = 4;

/**
 * Bytes that an answer with one value of use has at the most: each of its
 * characters has up to three bytes, which are four as base64.
 */
const MAX_OF_ONE = 5 * MAX_CLIENT_BYTES;

/** Where a page begins, where the range ends, and at which revision. */
interface Question {
  readonly key: string;
  /** Without it that key alone is meant. */
  readonly range_end?: string;
  readonly revision?: string;
}

export class EtcdPages {
  readonly #session: Pick<EtcdSession, "read">;
  #limit: number;

  /** @param limit How many entries the first page may have */
  constructor(session: Pick<EtcdSession, "read">, limit = PAGE) {
    this.#session = session;
    this.#limit = limit;
  }

  /**
   * The keys from one on, and at least one of them. Of a value that is too long
   * for an answer of its own nothing is read but that. One that comes too slowly
   * is another matter: it may be of use.
   * @throws {StoreError}
   */
  async read(question: Question): Promise<RangeAnswer> {
    for (;;) {
      try {
        const page = await this.#ask(question);
        this.#grow(page);
        return page;
      } catch (error) {
        if (!(error instanceof StoreError && error.isTooLong)) throw error;
        if (this.#limit === 1) {
          const { isUnreachable: isLate, received } = error;
          if (isLate && received <= MAX_OF_ONE) throw error;
          return await this.#nameOnly(question);
        }
        this.#limit = Math.ceil(this.#limit / SHARE);
      }
    }
  }

  async #ask(question: Question, more: object = {}): Promise<RangeAnswer> {
    const body = { ...question, limit: String(this.#limit), ...more };
    return readRange(await this.#session.read("/v3/kv/range", body));
  }

  /** Twice as many have to fit by far: a value has a third more as base64. */
  #grow({ entries }: RangeAnswer): void {
    const characters = entries.reduce(
      (sum, { key, value }) => sum + key.length + value.length,
      0,
    );
    if (characters * 4 > MAX_ANSWER) return;
    this.#limit = Math.min(this.#limit * 2, PAGE);
  }

  async #nameOnly(question: Question): Promise<RangeAnswer> {
    const page = await this.#ask(question, { keys_only: true });
    const entries = page.entries.map((entry) => ({
      ...entry,
      value: TOO_LONG,
    }));
    return { ...page, entries };
  }
}
