// File of the highest sequence numbers accepted, as words: a header, and records
// of one sender each. Threads write records while others read the file.
import { BOOT_ID_WORDS, type BootId } from "./boot_id.ts";

/** Records of a file, and of a process: 1 MiB. */
export const RECORDS = 1 << 15;

export const HEADER_WORDS = 16;
export const RECORD_WORDS = 8;
export const FILE_WORDS = HEADER_WORDS + RECORDS * RECORD_WORDS;

// "ANYTACC1", in the byte order of all machines that the program runs on.
const MAGIC = [0x54594e41, 0x31434341];

// Places in the header.
const COUNT = 2;
const IS_CLEAN = 3;
const BOOT_ID = 4;

// Places in a record.
export const FINGERPRINT = 0;
export const IDS = 2;
export const HIGHEST = 3;
export const SEEN = 4;
const PEAK = 5;
const CHECK = 6;

/** Which sender of which connection, and how far it has come. */
export interface AcceptedRecord {
  /** Of the keys: a hash. */
  readonly fingerprint: number;
  readonly mux: number;
  readonly senderId: number;
  readonly highest: number;
  /** When it was heard last, in seconds since 1970. */
  readonly seen: number;
  /** How many numbers it has gone through in a second at most. */
  readonly peak: number;
}

export interface AcceptedFile {
  readonly isClean: boolean;
  readonly bootId: BootId;
  readonly records: readonly AcceptedRecord[];
}

export function placeOf(record: number): number {
  return HEADER_WORDS + record * RECORD_WORDS;
}

/** @throws {Error} unless it is a whole file; records that are not are left out */
export function parseAccepted(bytes: Uint8Array): AcceptedFile {
  if (bytes.length !== FILE_WORDS * 4) throw new Error("its size is wrong");
  const words = new Uint32Array(bytes.slice().buffer);
  if (MAGIC.some((word, k) => words[k] !== word) || words[COUNT] !== RECORDS) {
    throw new Error("its header is wrong");
  }
  const records: AcceptedRecord[] = [];
  for (let k = 0; k < RECORDS; k++) {
    const record = readRecord(words, k);
    if (record !== undefined) records.push(record);
  }
  return {
    isClean: words[IS_CLEAN] === 1,
    bootId: [...words.slice(BOOT_ID, BOOT_ID + BOOT_ID_WORDS)],
    records,
  };
}

/** @param records No more than {@link RECORDS} */
export function formatAccepted(
  bootId: BootId,
  records: readonly AcceptedRecord[],
): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(FILE_WORDS);
  words.set(MAGIC);
  words[COUNT] = RECORDS;
  words.set(bootId, BOOT_ID);
  records.forEach((record, k) => writeRecord(words, k, record));
  return new Uint8Array(words.buffer);
}

export function markClean(words: Uint32Array): void {
  words[IS_CLEAN] = 1;
}

export function readRecord(
  words: Uint32Array,
  record: number,
): AcceptedRecord | undefined {
  const at = placeOf(record);
  const low = words[at + FINGERPRINT] ?? 0;
  const high = words[at + FINGERPRINT + 1] ?? 0;
  const ids = words[at + IDS] ?? 0;
  if (words[at + CHECK] !== checkOf(low, high, ids)) return undefined;
  return {
    fingerprint: high * 2 ** 32 + low,
    mux: ids >>> 16,
    senderId: ids & 0xffff,
    highest: words[at + HIGHEST] ?? 0,
    seen: words[at + SEEN] ?? 0,
    peak: words[at + PEAK] ?? 0,
  };
}

export function writeRecord(
  words: Uint32Array,
  record: number,
  { fingerprint, mux, senderId, highest, seen, peak }: AcceptedRecord,
): void {
  const at = placeOf(record);
  const low = fingerprint % 2 ** 32;
  const high = Math.floor(fingerprint / 2 ** 32);
  const ids = ((mux << 16) | senderId) >>> 0;
  // Nobody's while it is half written.
  words[at + CHECK] = 0;
  words[at + FINGERPRINT] = low;
  words[at + FINGERPRINT + 1] = high;
  words[at + IDS] = ids;
  words[at + HIGHEST] = highest;
  words[at + SEEN] = seen;
  words[at + PEAK] = peak;
  words[at + CHECK] = checkOf(low, high, ids);
}

/** What is known of a sender beside its numbers. */
export function noteSeen(
  words: Uint32Array,
  record: number,
  seen: number,
  peak: number,
): void {
  const at = placeOf(record);
  words[at + SEEN] = seen;
  if (peak > (words[at + PEAK] ?? 0)) words[at + PEAK] = peak;
}

/** Never 0, which stands for a record of nobody. */
function checkOf(low: number, high: number, ids: number): number {
  const mixed = Math.imul(low ^ 0x9e3779b1, 0x85ebca6b) ^
    Math.imul(high + 0x27d4eb2f, 0xc2b2ae35) ^ Math.imul(ids + 1, 0x165667b1);
  return (mixed | 1) >>> 0;
}
