// List of the spaces that a process has lent numbers to, in pages of a file: it
// stays when the process is killed, and is of no use after a crash of the system.
import type { SharedPages } from "../../ffi/process/shared_pages.ts";
import { BOOT_ID_WORDS, type BootId, isSameBoot } from "./boot_id.ts";

/** With more than that nobody knows which they are. */
export const MOST_LENT = 4096;

/** A SHA-256 in base64. */
const TEXT_BYTES = 44;

// "ANYTLNT1", in the byte order of all machines that the program runs on.
const MAGIC = [0x54594e41, 0x31544e4c];

// Places in the header.
const IS_WHOLE = 2;
const COUNT = 3;
const BOOT_ID = 4;
const HEADER_BYTES = 4 * (BOOT_ID + BOOT_ID_WORDS);

export const LENT_BYTES = HEADER_BYTES + MOST_LENT * TEXT_BYTES;

/** A file of which nobody knows what is lent. */
export function formatLent(bootId: BootId): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(LENT_BYTES / 4);
  words.set(MAGIC);
  words.set(bootId, BOOT_ID);
  return new Uint8Array(words.buffer);
}

/** @returns undefined where nobody knows */
export function parseLent(
  bytes: Uint8Array,
  bootId: BootId,
): readonly string[] | undefined {
  if (bytes.length !== LENT_BYTES) return undefined;
  const words = new Uint32Array(bytes.slice(0, HEADER_BYTES).buffer);
  const count = words[COUNT] ?? 0;
  const isWhole = MAGIC.every((word, k) => words[k] === word) &&
    isSameBoot(words.subarray(BOOT_ID), bootId) && words[IS_WHOLE] === 1 &&
    count <= MOST_LENT;
  if (!isWhole) return undefined;
  const spaces = Array.from({ length: count }, (_, k) => textAt(bytes, k));
  return spaces.every((space) => /^[A-Za-z\d+/]+=*$/.test(space))
    ? spaces
    : undefined;
}

export class LentSpaces {
  readonly #pages: Pick<SharedPages, "words" | "release">;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #encoder = new TextEncoder();
  #count = 0;

  /** @param pages Of a file as {@link formatLent} makes it */
  constructor(pages: Pick<SharedPages, "words" | "release">) {
    const { buffer, byteOffset } = pages.words;
    this.#pages = pages;
    this.#bytes = new Uint8Array(buffer, byteOffset, LENT_BYTES);
    this.set([]);
  }

  /** Those, and no others any more. */
  set(spaces: Iterable<string>): void {
    this.#put(IS_WHOLE, 0);
    this.#count = 0;
    this.#put(COUNT, 0);
    // Killed from here to the end, nobody knows.
    let isWhole = true;
    for (const space of spaces) isWhole = this.#add(space) && isWhole;
    if (isWhole) this.#put(IS_WHOLE, 1);
  }

  /** Before a number of it is used. */
  add(space: string): void {
    if (!this.#add(space)) this.#put(IS_WHOLE, 0);
  }

  release(): void {
    this.#pages.release();
  }

  #add(space: string): boolean {
    if (this.#count >= MOST_LENT || space.length > TEXT_BYTES) return false;
    const at = placeOf(this.#count);
    const room = this.#bytes.subarray(at, at + TEXT_BYTES).fill(0);
    if (this.#encoder.encodeInto(space, room).read < space.length) return false;
    this.#put(COUNT, ++this.#count);
    return true;
  }

  // Atomic so that no compiler puts it before what was written until then.
  #put(place: number, word: number): void {
    Atomics.store(this.#pages.words, place, word);
  }
}

function placeOf(k: number): number {
  return HEADER_BYTES + k * TEXT_BYTES;
}

function textAt(bytes: Uint8Array, k: number): string {
  const text = bytes.subarray(placeOf(k), placeOf(k + 1));
  return new TextDecoder().decode(text).replace(/\0+$/, "");
}
