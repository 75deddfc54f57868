// Answers of etcd's gateway: JSON with keys and values as base64, and 64 bit
// numbers as text, where zeros and empty lists are left out.
import { visible } from "../log/visible.ts";
import { withHint } from "./hints.ts";
import { StoreError } from "./store_error.ts";

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface Header {
  /** Another one for each store, also where one is made anew. */
  readonly cluster: string;
  /** Grows with each change of any key. */
  readonly revision: number;
  /** Grows with each choice of a leader; begins anew with a restored backup. */
  readonly term: number;
}

export interface RangeAnswer {
  readonly header: Header;
  readonly entries: readonly KeyValue[];
  /** Of all keys in it, whether they fit or not. */
  readonly count: number;
  /** Where those begin that did not fit into it, as the gateway wants it. */
  readonly next: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Characters of a message of the store. */
const MAX_SHOWN = 200;

/** Text as the gateway wants keys and values. */
export function toText(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** @throws {StoreError} if it is no UTF-8 */
export function fromText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrong("text that is no UTF-8");
  }
}

/** @throws {StoreError} if it is none */
export function readRange(answer: unknown): RangeAnswer {
  const { header, kvs = [], more = false, count = "0" } = fieldsOf(answer);
  if (!Array.isArray(kvs) || typeof more !== "boolean") throw wrong("a range");
  const entries = kvs.map(readEntry);
  // A page that leaves the rest out would end all clients in it.
  if (more && kvs.length === 0) throw wrong("a page without keys");
  const last = more ? kvs.at(-1) : undefined;
  const next = last && behind(fieldsOf(last).key);
  return {
    ...{ header: readHeader(header), entries, next },
    count: numberOf(count),
  };
}

/** By its bytes: what is no UTF-8 would be another one as text. */
function behind(key: unknown): string {
  const bytes = bytesOf(key);
  const next = new Uint8Array(bytes.length + 1);
  next.set(bytes);
  return next.toBase64();
}

/** @returns What each question of a transaction has found */
export function readRanges(answer: unknown): readonly RangeAnswer[] {
  const { header, responses } = fieldsOf(answer);
  if (!Array.isArray(responses)) throw wrong("a transaction of ranges");
  // The header of each has a revision alone.
  return responses.map((one) =>
    readRange({ ...fieldsOf(fieldsOf(one).response_range), header })
  );
}

/** @returns Whether all comparisons held */
export function readTransaction(answer: unknown): boolean {
  const { succeeded = false } = fieldsOf(answer);
  if (typeof succeeded !== "boolean") throw wrong("a transaction");
  return succeeded;
}

export function readToken(answer: unknown): string {
  const { token } = fieldsOf(answer);
  // It becomes a header.
  if (typeof token === "string" && /^[\x21-\x7e]{1,4096}$/.test(token)) {
    return token;
  }
  throw wrong("a token");
}

/** What an answer with a status other than 200 says. */
export function readError(status: number, text: string): StoreError {
  try {
    const { message, code } = fieldsOf(JSON.parse(text));
    if (typeof message === "string") {
      return new StoreError(withHint(shown(message)), {
        code: typeof code === "number" ? code : undefined,
      });
    }
  } catch {
    // Some of its answers are plain text.
  }
  const hint = text.startsWith("CommonName of client")
    ? "; it takes a certificate without a common name (CN), and a user"
    : "";
  return new StoreError(
    `HTTP status ${status}: ${shown(text.trim())}${hint}`,
  );
}

export function readEntry(entry: unknown): KeyValue {
  const fields = fieldsOf(entry);
  const { key, value = "", create_revision = "0", mod_revision } = fields;
  return {
    key: textOf(key),
    value: textOf(value),
    createRevision: numberOf(create_revision),
    modRevision: numberOf(mod_revision),
  };
}

export function readHeader(header: unknown): Header {
  const { cluster_id: cluster, revision = "0", raft_term: term = "0" } =
    fieldsOf(header);
  if (typeof cluster !== "string" || !/^\d{1,20}$/.test(cluster)) {
    throw wrong("the name of a cluster");
  }
  return { cluster, revision: numberOf(revision), term: numberOf(term) };
}

export function fieldsOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null) return value as Fields;
  throw wrong("an object");
}

/** What is no UTF-8 is nobody's record, and not the fault of others. */
function textOf(base64: unknown): string {
  return new TextDecoder().decode(bytesOf(base64));
}

function bytesOf(base64: unknown): Uint8Array<ArrayBuffer> {
  if (typeof base64 !== "string") throw wrong("a key or a value");
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw wrong("base64");
  }
}

export function numberOf(text: unknown): number {
  const isNumber = typeof text === "string" && /^\d{1,16}$/.test(text);
  const number = isNumber ? Number(text) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw wrong("a revision");
}

export function wrong(what: string): StoreError {
  return new StoreError(`the store's answer is not understood: ${what}`);
}

export function shown(text: string): string {
  return visible(text.slice(0, MAX_SHOWN));
}
