// Text of a chain file (docs/key-chains.md). The chain key goes from bytes to
// bytes: text could not be overwritten.
import {
  CHAIN_KEY_BYTES,
  type ChainLink,
  MAX_INTERVAL,
  MIN_INTERVAL,
} from "./key_chain.ts";
import { roomForKey } from "./secrets.ts";

/** Bytes; a file that is right has at most 130. */
export const CHAIN_FILE_LIMIT = 4096;

const TITLE = "anytun-keychain";
const VERSION = 1;
const NAMES = [TITLE, "interval", "epoch", "chain"] as const;
const LINE_END = 0x0a;
const BLANK = 0x20;
const HEX = "0123456789abcdef";

export class ChainFileError extends Error {
  /** @param line Counts from 1 */
  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.name = "ChainFileError";
  }
}

/**
 * Reads all of a file, whose key is overwritten by the caller.
 * @throws {ChainFileError} that says what would be right, and nothing of the key
 */
export function parseChainFile(bytes: Uint8Array): ChainLink {
  const lines = linesOf(bytes);
  const valueOf = (index: number): Uint8Array => {
    const name = NAMES[index] ?? "";
    const line = lines[index] ?? bytes.subarray(0, 0);
    const head = new TextEncoder().encode(`${name} `);
    if (head.some((byte, k) => line[k] !== byte)) {
      throw new ChainFileError(index + 1, `it must be '${SHAPES[index]}'`);
    }
    return line.subarray(head.length);
  };
  const number = (index: number, min: number, max: number): number => {
    const value = decimalOf(valueOf(index));
    if (value !== undefined && value >= min && value <= max) return value;
    throw new ChainFileError(
      index + 1,
      `${NAMES[index]} must be a decimal number from ${min} to ${max}`,
    );
  };
  if (decimalOf(valueOf(0)) !== VERSION) {
    throw new ChainFileError(1, `it must be '${SHAPES[0]}': another version`);
  }
  const interval = number(1, MIN_INTERVAL, MAX_INTERVAL);
  const epoch = number(2, 0, maxEpoch(interval));
  const extra = lines.findIndex((line, k) => k >= NAMES.length && line.length);
  if (extra >= 0) {
    throw new ChainFileError(extra + 1, "nothing may follow the chain");
  }
  const key = keyOf(valueOf(3));
  if (key !== undefined) return { interval, epoch, key };
  throw new ChainFileError(
    4,
    `chain must be ${2 * CHAIN_KEY_BYTES} hexadecimal digits`,
  );
}

/** The whole file; to be overwritten by the caller. */
export function formatChainFile(
  { interval, epoch, key }: ChainLink,
): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(
    `${TITLE} ${VERSION}\ninterval ${interval}\nepoch ${epoch}\nchain `,
  );
  const bytes = new Uint8Array(head.length + 2 * key.length + 1);
  bytes.set(head);
  key.forEach((byte, k) => {
    const at = head.length + 2 * k;
    bytes[at] = HEX.charCodeAt(byte >> 4);
    bytes[at + 1] = HEX.charCodeAt(byte & 15);
  });
  bytes[bytes.length - 1] = LINE_END;
  return bytes;
}

const SHAPES = [
  `${TITLE} ${VERSION}`,
  "interval <seconds>",
  "epoch <number>",
  `chain <${2 * CHAIN_KEY_BYTES} hexadecimal digits>`,
] as const;

/** That of the year 10 000: what is beyond is no time of anybody's clock. */
function maxEpoch(interval: number): number {
  return Math.floor(253_402_300_800 / interval);
}

/** Without the blanks and carriage returns that editors leave at their ends. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(LINE_END, from);
    const stop = end < 0 ? bytes.length : end;
    let last = stop;
    while (last > from && isBlank(bytes[last - 1])) last--;
    lines.push(bytes.subarray(from, last));
    from = stop + 1;
  }
  return lines;
}

function isBlank(byte: number | undefined): boolean {
  return byte === BLANK || byte === 0x09 || byte === 0x0d;
}

function decimalOf(bytes: Uint8Array): number | undefined {
  const isNumber = bytes.length > 0 && bytes.length <= 15 &&
    bytes.every((byte) => byte >= 0x30 && byte <= 0x39);
  if (!isNumber) return undefined;
  return bytes.reduce((value, byte) => 10 * value + byte - 0x30, 0);
}

function keyOf(digits: Uint8Array): Uint8Array | undefined {
  if (digits.length !== 2 * CHAIN_KEY_BYTES) return undefined;
  const key = roomForKey(CHAIN_KEY_BYTES);
  for (let k = 0; k < digits.length; k++) {
    const value = digitOf(digits[k] ?? 0);
    if (value < 0) {
      key.fill(0);
      return undefined;
    }
    key[k >> 1] = (key[k >> 1] ?? 0) << 4 | value;
  }
  return key;
}

/** @returns -1 for what is no hexadecimal digit */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
