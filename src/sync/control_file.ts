// The file that `anytun-controld` serves: output of `anytun-config`, one run
// after the other (sync section 7).
import { decodeRecord } from "./decode.ts";
import { frameText } from "./encode.ts";
import { SyncError } from "./error.ts";
import { RecordReader } from "./framing.ts";
import { latin1 } from "./latin1.ts";

/** There may be 200 000: decoded, they would take twice the memory. */
export interface ControlRecord {
  /** Counts from 1. */
  readonly line: number;
  /** Of a connection; undefined for a route. */
  readonly mux: number | undefined;
  /**
   * With the library version of the file: peers refuse those that are newer
   * than their own.
   */
  readonly text: string;
}

export class ControlFileError extends Error {
  /** Counts from 1. */
  readonly line: number;

  constructor(line: number, why: string, cause?: unknown) {
    super(`line ${line}: ${why}`, { cause });
    this.name = "ControlFileError";
    this.line = line;
  }
}

/**
 * The original serves any text; this takes only what clients can read, without
 * blank lines and trailing white space. A connection has one record: of two,
 * clients would apply both each time they connect, with different keys and
 * numbers.
 * @param before What is known of a file that is hardly another: of thousands of
 * lines, only those that are new are parsed
 * @throws {ControlFileError} at the first line that is wrong
 */
export function parseControlFile(
  file: Uint8Array,
  before: readonly ControlRecord[] = [],
): ControlRecord[] {
  const known = new Map(before.map((record) => [record.text, record]));
  let next = 0;
  const records = latin1(file).split("\n").flatMap((end, index) => {
    const at = next;
    next += end.length + 1;
    const text = end.trimEnd();
    const line = index + 1;
    const record = known.get(text);
    // With the text of its own, as this one would keep the whole file.
    if (record !== undefined) return { ...record, line };
    return parseLine(file.subarray(at, at + text.length), text, line);
  });
  requireOneEach(records);
  return records;
}

function requireOneEach(records: readonly ControlRecord[]): void {
  const lines = new Map<number, number>();
  for (const { line, mux } of records) {
    if (mux === undefined) continue;
    const first = lines.get(mux);
    if (first !== undefined) {
      throw new ControlFileError(
        line,
        `it holds connection ${mux}, as line ${first} does`,
      );
    }
    lines.set(mux, line);
  }
}

/** @param text The same bytes, a character each */
function parseLine(
  bytes: Uint8Array,
  text: string,
  line: number,
): ControlRecord[] {
  if (!/^[\t\x20-\x7e]*$/.test(text)) {
    throw new ControlFileError(line, "it holds characters that are not ASCII");
  }
  const reader = new RecordReader();
  const records: ControlRecord[] = [];
  try {
    for (const archive of reader.push(bytes)) {
      const record = decodeRecord(archive);
      if (record === undefined) {
        throw new ControlFileError(
          line,
          "its command is neither connection nor route",
        );
      }
      // A blank at its end would be cut off wherever the record ends a line.
      const text = frameText(latin1(archive).trimEnd());
      const mux = record.command === "connection" ? record.mux : undefined;
      records.push({ line, mux, text });
    }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    throw new ControlFileError(line, error.message, error);
  }
  if (reader.isInside) {
    throw new ControlFileError(line, "it is shorter than its length says");
  }
  return records;
}

/** The records that are new, in order. */
export function changedRecords(
  before: readonly ControlRecord[],
  after: readonly ControlRecord[],
): ControlRecord[] {
  const known = new Set(before.map(({ text }) => text));
  return after.filter(({ text }) => !known.has(text));
}
