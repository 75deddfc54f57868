// Changes of a store's keys: a stream of JSON objects, a line each.
import { StoreError } from "./store_error.ts";
import {
  fieldsOf,
  type Header,
  type KeyValue,
  numberOf,
  readEntry,
  readHeader,
  shown,
  wrong,
} from "./etcd_json.ts";

export interface WatchEvent extends KeyValue {
  /** Then it has no value. */
  readonly isDeleted: boolean;
}

export interface WatchMessage {
  readonly header: Header;
  readonly events: readonly WatchEvent[];
  /** Whether all up to the revision of its header has been told. */
  readonly isProgress: boolean;
}

/**
 * What was changed since the revision asked for is not to be had: the store has
 * forgotten it, or tells it in one line that is too long.
 */
export class CompactedError extends StoreError {
  constructor(why = "the store has forgotten changes") {
    super(`${why}: all records are read again`);
    this.name = "CompactedError";
  }
}

/** Characters of a line: more is told by ranges, page by page. */
const MAX_LINE = 16 << 20;

/** Of gRPC: no such revision (any more). */
export const OUT_OF_RANGE = 11;

/** @throws {StoreError} when it ends */
export async function* watchMessages(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<WatchMessage> {
  const lines = new WatchLines(MAX_LINE);
  for await (const chunk of chunks) {
    for (const line of lines.push(chunk)) yield watchMessage(line);
  }
  throw new StoreError("the store has ended the watch", {
    isUnreachable: true,
  });
}

/** Lines of what comes in pieces. */
export class WatchLines {
  readonly #maxLine: number;
  readonly #decoder = new TextDecoder();
  #parts: string[] = [];
  #length = 0;

  /** @param maxLine Characters */
  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /**
   * @throws {StoreError} if a line is too long to be kept, behind those before
   * it
   */
  *push(chunk: Uint8Array): Generator<string> {
    const text = this.#decoder.decode(chunk, { stream: true });
    const [first = "", ...others] = text.split("\n");
    this.#add(first);
    for (const other of others) {
      const line = this.#parts.join("");
      this.#parts = [];
      this.#length = 0;
      if (line.trim() !== "") yield line;
      this.#add(other);
    }
  }

  #add(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxLine) {
      throw new CompactedError("the store tells more at once than is taken");
    }
    if (text !== "") this.#parts.push(text);
  }
}

/** @throws {StoreError} if the watch is over, or this is no message of one */
export function watchMessage(line: string): WatchMessage {
  const outer = fieldsOf(parsed(line));
  if (outer.error !== undefined) throw faultOf(outer.error);
  const result = fieldsOf(outer.result);
  const { compact_revision: compacted = "0", events = [] } = result;
  if (numberOf(compacted) > 0) throw new CompactedError();
  if (result.canceled === true) {
    const { cancel_reason: why } = result;
    const text = typeof why === "string" ? `: ${shown(why)}` : "";
    throw new StoreError(`the store has ended the watch${text}`);
  }
  if (!Array.isArray(events)) throw wrong("a list of events");
  const isProgress = events.length === 0 && result.created !== true;
  const header = readHeader(result.header);
  return { header, events: events.map(eventOf), isProgress };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw wrong("a change that is no JSON");
  }
}

function eventOf(value: unknown): WatchEvent {
  const { type = "PUT", kv } = fieldsOf(value);
  if (type !== "PUT" && type !== "DELETE") throw wrong("the type of an event");
  return { ...readEntry(kv), isDeleted: type === "DELETE" };
}

function faultOf(error: unknown): StoreError {
  const { message, grpc_code: code } = fieldsOf(error);
  if (code === OUT_OF_RANGE) return new CompactedError();
  const text = typeof message === "string" ? `: ${shown(message)}` : "";
  return new StoreError(`the store has ended the watch${text}`, {
    ...(typeof code === "number" ? { code } : {}),
  });
}
