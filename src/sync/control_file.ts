/**
 * The file that `anytun-controld` serves: the output of `anytun-config` runs,
 * one after the other (sync section 7).
 *
 * @module
 */
import { decodeRecord } from "./decode.ts";
import { frameText } from "./encode.ts";
import { SyncError } from "./error.ts";
import { RecordReader } from "./framing.ts";
import type { SyncRecord } from "./record.ts";

/** A record of the file. */
export interface ControlRecord {
  /** Counts from 1. */
  readonly line: number;
  readonly record: SyncRecord;
  /**
   * The record for the stream, with the library version that it has in the
   * file: peers refuse those that are newer than their own.
   */
  readonly text: string;
}

/** A line that clients could not read. */
export class ControlFileError extends Error {
  /** Counts from 1. */
  readonly line: number;

  /** Makes an error. */
  constructor(line: number, why: string, cause?: unknown) {
    super(`line ${line}: ${why}`, { cause });
    this.name = "ControlFileError";
    this.line = line;
  }
}

/**
 * Reads the whole file. Where the original serves any text, this takes only
 * what clients can read; blank lines, and white space at the end of a line,
 * are left out. A connection has one record: of two, clients would take one
 * after the other each time they connect, with its keys and its number.
 *
 * @throws {ControlFileError} at the first line that is wrong
 */
export function parseControlFile(file: Uint8Array): ControlRecord[] {
  const records = latin1(file).split("\n").flatMap((line, index) =>
    parseLine(line.trimEnd(), index + 1)
  );
  requireOneEach(records);
  return records;
}

function requireOneEach(records: readonly ControlRecord[]): void {
  const lines = new Map<number, number>();
  for (const { line, record } of records) {
    if (record.command !== "connection") continue;
    const first = lines.get(record.mux);
    if (first !== undefined) {
      throw new ControlFileError(
        line,
        `it holds connection ${record.mux}, as line ${first} does`,
      );
    }
    lines.set(record.mux, line);
  }
}

function parseLine(text: string, line: number): ControlRecord[] {
  if (!/^[\t\x20-\x7e]*$/.test(text)) {
    throw new ControlFileError(line, "it holds characters that are not ASCII");
  }
  const reader = new RecordReader();
  const records: ControlRecord[] = [];
  try {
    for (const archive of reader.push(new TextEncoder().encode(text))) {
      const record = decodeRecord(archive);
      if (record === undefined) {
        throw new ControlFileError(
          line,
          "its command is neither connection nor route",
        );
      }
      records.push({ line, record, text: frameText(latin1(archive)) });
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

/**
 * What clients are to be told when a file has changed. There is nothing that
 * would take a record back.
 *
 * @returns The records of `after` that `before` does not have, in order
 */
export function changedRecords(
  before: readonly ControlRecord[],
  after: readonly ControlRecord[],
): ControlRecord[] {
  const known = new Set(before.map(({ text }) => text));
  return after.filter(({ text }) => !known.has(text));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
