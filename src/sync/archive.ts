/**
 * The tokens of a text archive of Boost.Serialization (sync section 2):
 * numbers and strings, separated by white space.
 *
 * @module
 */
import { SyncError } from "./error.ts";

/** What an archive begins with. */
export const SIGNATURE = "serialization::archive";

/** More digits than the largest number has, 2^64 - 1. */
const MAX_DIGITS = 20;

/** Reads the tokens of one record; what is read is bounded by its size. */
export class ArchiveReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes The archive text of one record */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Reads a number in decimal digits. Where the original lets a sign wrap it
   * around, this refuses.
   *
   * @param name What the number is, for the error
   * @throws {SyncError} if there is none from 0 to `max`
   */
  number(name: string, max: number): number {
    const value = Number(this.#digits(name));
    if (value > max) throw this.#fault(`${name} is above ${max}`);
    return value;
  }

  /**
   * Reads a number of up to 64 bits.
   *
   * @throws {SyncError} if there is none
   */
  number64(name: string): bigint {
    const value = BigInt(this.#digits(name));
    if (value >> 64n !== 0n) throw this.#fault(`${name} is above 2^64 - 1`);
    return value;
  }

  /**
   * Reads a string: its size, one character of any kind, its bytes.
   *
   * @returns One character for each byte
   * @throws {SyncError} if it is longer than the record
   */
  string(name: string): string {
    const size = this.number(`size of ${name}`, this.#bytes.length);
    const start = this.#at + 1;
    if (start + size > this.#bytes.length) {
      throw this.#fault(`${name} is longer than the record`);
    }
    this.#at = start + size;
    return latin1(this.#bytes.subarray(start, this.#at));
  }

  /**
   * Reads bytes: their number, and each as a decimal number.
   *
   * @throws {SyncError} if there are more than `max`, or one is no byte
   */
  bytes(name: string, max: number): Uint8Array {
    const count = this.number(`size of ${name}`, max);
    return Uint8Array.from(
      { length: count },
      () => this.number(`byte of ${name}`, 255),
    );
  }

  /**
   * Reads what stands before the first object of a class: whether objects of
   * it are tracked, which they never are, and its version, which changed
   * nothing so far.
   *
   * @throws {SyncError} if it is something else
   */
  objectClass(name: string): void {
    this.number(`tracking of ${name}`, 0);
    this.number(`class version of ${name}`, 0xffffffff);
  }

  #digits(name: string): string {
    const bytes = this.#bytes;
    while (isSpace(bytes[this.#at])) this.#at++;
    const start = this.#at;
    while (isDigit(bytes[this.#at])) this.#at++;
    const size = this.#at - start;
    const next = bytes[this.#at];
    const isWhole = next === undefined || isSpace(next);
    if (size === 0 || size > MAX_DIGITS || !isWhole) {
      throw this.#fault(`${name} is not a decimal number`);
    }
    return latin1(bytes.subarray(start, this.#at));
  }

  #fault(what: string): SyncError {
    return new SyncError(
      "input stream error",
      `Cannot read a record: ${what} (before byte ${this.#at})`,
    );
  }
}

/** A string as a token: size and text. All texts here are ASCII. */
export function stringToken(text: string): string {
  return `${text.length} ${text}`;
}

/** Bytes as tokens: their number, and each as a number. */
export function bytesTokens(bytes: Uint8Array): string {
  return [bytes.length, ...bytes].join(" ");
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** White space as a C++ stream in the C locale knows it. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte !== undefined && byte >= 0x09 && byte <= 0x0d;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
