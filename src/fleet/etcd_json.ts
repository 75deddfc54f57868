// Answers of etcd's gateway: JSON with keys and values as base64, and 64 bit
// numbers as text, where zeros and empty lists are left out.
import { visible } from "../log/visible.ts";
import { EngineError } from "./engine_error.ts";

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

interface RangeAnswer {
  readonly revision: number;
  readonly entries: readonly KeyValue[];
  /** Whether there are more of them. */
  readonly more: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Characters of a message of the engine. */
const MAX_SHOWN = 200;

/** Text as the gateway wants keys and values. */
export function toText(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** @throws {EngineError} if it is no UTF-8 */
export function fromText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrong("text that is no UTF-8");
  }
}

/** @throws {EngineError} if it is none */
export function readRange(answer: unknown): RangeAnswer {
  const { header, kvs = [], more = false } = fieldsOf(answer);
  if (!Array.isArray(kvs) || typeof more !== "boolean") throw wrong("a range");
  return { revision: revisionOf(header), entries: kvs.map(readEntry), more };
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
export function readError(status: number, text: string): EngineError {
  try {
    const { message, code } = fieldsOf(JSON.parse(text));
    if (typeof message === "string") {
      return new EngineError(shown(message), {
        code: typeof code === "number" ? code : undefined,
      });
    }
  } catch {
    // Some of its answers are plain text.
  }
  return new EngineError(`HTTP status ${status}: ${shown(text.trim())}`);
}

export function readEntry(entry: unknown): KeyValue {
  const { key, value = "", create_revision = "0", mod_revision } = fieldsOf(
    entry,
  );
  return {
    key: textOf(key),
    value: textOf(value),
    createRevision: numberOf(create_revision),
    modRevision: numberOf(mod_revision),
  };
}

/** That of an answer's header. */
export function revisionOf(header: unknown): number {
  return numberOf(fieldsOf(header).revision);
}

export function fieldsOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null) return value as Fields;
  throw wrong("an object");
}

function textOf(base64: unknown): string {
  if (typeof base64 !== "string") throw wrong("a key or a value");
  let bytes;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch {
    throw wrong("base64");
  }
  return fromText(bytes);
}

function numberOf(text: unknown): number {
  const isNumber = typeof text === "string" && /^\d{1,16}$/.test(text);
  const number = isNumber ? Number(text) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw wrong("a revision");
}

function wrong(what: string): EngineError {
  return new EngineError(`the engine's answer is not understood: ${what}`);
}

function shown(text: string): string {
  return visible(text.slice(0, MAX_SHOWN));
}
