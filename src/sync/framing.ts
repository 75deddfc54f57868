// Framing of records in a stream (sync section 1).
import { SyncError } from "./error.ts";

export const LENGTH_DIGITS = 5;

/** The length, and one character of any kind. */
const HEADER_BYTES = LENGTH_DIGITS + 1;

/**
 * Cuts a stream into archive texts. It never holds more than one record, that
 * is 99999 bytes.
 */
export class RecordReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #text: Uint8Array | undefined;
  #textFilled = 0;

  get isInside(): boolean {
    return this.#headerFilled > 0;
  }

  /**
   * @param chunk May be reused once the generator is done
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
      // anytun-config ends records with a newline, anytun-controld strips it.
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

/** Spaces before the digits: the original is as lenient. */
function lengthIn(header: Uint8Array): number {
  const text = String.fromCharCode(...header.subarray(0, LENGTH_DIGITS));
  if (!/^ *\d+$/.test(text)) {
    // The first bytes of a TLS alert (RFC 8446 section 5.1).
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
