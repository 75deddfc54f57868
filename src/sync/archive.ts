// Text archives of Boost.Serialization (sync section 2).
import { SyncError } from "./error.ts";
import { latin1 } from "./latin1.ts";

export const SIGNATURE = "serialization::archive";

/** More digits than the largest number has, 2^64 - 1. */
const MAX_DIGITS = 20;

/** Of ASCII. */
const ZERO = 0x30;

/** What is read is bounded by the size of the record. */
export class ArchiveReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * In decimal digits. The original lets a sign wrap around; this refuses one.
   * @throws {SyncError} if there is none from 0 to `max`
   */
  number(name: string, max: number): number {
    let value = 0;
    const bytes = this.#bytes;
    for (let k = this.#digits(name); k < this.#at; k++) {
      value = value * 10 + (bytes[k] ?? 0) - ZERO;
    }
    if (value > max) throw this.#fault(`${name} is above ${max}`);
    return value;
  }

  /** @throws {SyncError} if there is none of 64 bits */
  number64(name: string): bigint {
    const start = this.#digits(name);
    const value = BigInt(latin1(this.#bytes.subarray(start, this.#at)));
    if (value >> 64n !== 0n) throw this.#fault(`${name} is above 2^64 - 1`);
    return value;
  }

  /**
   * Its size, one character of any kind, its bytes; a character for each byte.
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
   * Their number, and each as a decimal number.
   * @throws {SyncError} if there are more than `max`, or one is above 255
   */
  bytes(name: string, max: number): Uint8Array {
    const count = this.number(`size of ${name}`, max);
    const bytes = new Uint8Array(count);
    const byteName = `byte of ${name}`;
    for (let k = 0; k < count; k++) bytes[k] = this.number(byteName, 255);
    return bytes;
  }

  /**
   * Before the first object of a class: whether such are tracked, which they
   * never are, and a version, which has changed nothing so far.
   */
  objectClass(name: string): void {
    this.number(`tracking of ${name}`, 0);
    this.number(`class version of ${name}`, 0xffffffff);
  }

  /** @returns Where they begin; they end where the reader is now */
  #digits(name: string): number {
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
    return start;
  }

  #fault(what: string): SyncError {
    return new SyncError(
      "input stream error",
      `Cannot read a record: ${what} (before byte ${this.#at})`,
    );
  }
}

/** All texts here are ASCII. */
export function stringToken(text: string): string {
  return `${text.length} ${text}`;
}

export function bytesTokens(bytes: Uint8Array): string {
  return [bytes.length, ...bytes].join(" ");
}

/** White space as a C++ stream in the C locale knows it. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte !== undefined && byte >= 0x09 && byte <= 0x0d;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}
