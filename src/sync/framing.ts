/**
 * Where one record ends and the next one begins (sync section 1).
 *
 * @module
 */
import { SyncError } from "./error.ts";

/** Digits of the length before each record. */
export const LENGTH_DIGITS = 5;

/** The length, and one character of any kind. */
const HEADER_BYTES = LENGTH_DIGITS + 1;

/**
 * Cuts a stream into the archive texts of its records. It never holds more
 * than one record, that is 99999 bytes.
 */
export class RecordReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #text: Uint8Array | undefined;
  #textFilled = 0;

  /** Whether a record has begun and not ended. */
  get isInside(): boolean {
    return this.#headerFilled > 0;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @param chunk Any part of it; may be reused once the generator is done
   * @returns The archive texts that are complete now
   * @throws {SyncError} if a length is no number; the rest of the stream then
   * means nothing
   */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    while (at < chunk.length) {
      const rest = chunk.subarray(at);
      at += this.#text === undefined
        ? this.#takeHeader(rest)
        : this.#takeText(this.#text, rest);
      if (this.#text !== undefined && this.#textFilled === this.#text.length) {
        yield this.#finish(this.#text);
      }
    }
  }

  #takeHeader(bytes: Uint8Array): number {
    let skipped = 0;
    if (this.#headerFilled === 0) {
      // anytun-config ends each record with a newline, anytun-controld takes
      // these away again.
      while (isNewline(bytes[skipped])) skipped++;
    }
    const missing = HEADER_BYTES - this.#headerFilled;
    const taken = bytes.subarray(skipped, skipped + missing);
    this.#header.set(taken, this.#headerFilled);
    this.#headerFilled += taken.length;
    if (this.#headerFilled === HEADER_BYTES) {
      this.#text = new Uint8Array(lengthIn(this.#header));
      this.#textFilled = 0;
    }
    return skipped + taken.length;
  }

  #takeText(text: Uint8Array, bytes: Uint8Array): number {
    const taken = bytes.subarray(0, text.length - this.#textFilled);
    text.set(taken, this.#textFilled);
    this.#textFilled += taken.length;
    return taken.length;
  }

  #finish(text: Uint8Array): Uint8Array {
    this.#text = undefined;
    this.#headerFilled = 0;
    return text;
  }
}

/** Digits, perhaps after spaces: the original is as lenient. */
function lengthIn(header: Uint8Array): number {
  const text = String.fromCharCode(...header.subarray(0, LENGTH_DIGITS));
  if (!/^ *\d+$/.test(text)) {
    // How a TLS record begins that is an alert (RFC 8446 section 5.1).
    const isTls = header[0] === 21 && header[1] === 3;
    throw new SyncError(
      "input stream error",
      isTls
        ? "Cannot read a record: the server speaks TLS (--sync-tls-cert)"
        : "Cannot read the length of a record: it is not a decimal number",
    );
  }
  return Number(text);
}

function isNewline(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}
