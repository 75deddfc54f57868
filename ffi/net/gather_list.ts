/**
 * Pieces of memory that the kernel takes for one: an array of struct iovec
 * (readv(2)).
 *
 * @module
 */

import type { Arena } from "../memory.ts";

// struct iovec { void *iov_base; size_t iov_len; }
const IOVEC_SIZE = 16;
const LENGTH_AT = 8;

/** A list of pieces in an arena, filled anew for every use. */
export class GatherList {
  /** The array of structs. */
  readonly pointer: Deno.PointerObject;
  readonly #arena: Arena;
  readonly #base: number;
  readonly #capacity: number;
  #length = 0;
  #end = -1;

  /**
   * @param arena Holds the pieces, and the list itself: 16 bytes for each.
   * @param capacity Pieces the list can hold.
   */
  constructor(arena: Arena, capacity: number) {
    this.#arena = arena;
    this.#base = arena.take(capacity * IOVEC_SIZE);
    this.pointer = arena.pointer(this.#base);
    this.#capacity = capacity;
  }

  /** How many structs are filled. */
  get length(): number {
    return this.#length;
  }

  /** Where in the arena the next piece's struct will be. */
  get next(): number {
    return this.#base + this.#length * IOVEC_SIZE;
  }

  /** Forgets all pieces. */
  clear(): void {
    this.#length = 0;
    this.#end = -1;
  }

  /**
   * Lets the next piece begin a struct of its own, even where it adjoins the
   * last one.
   */
  divide(): void {
    this.#end = -1;
  }

  /**
   * Adds a piece. One that adjoins the last makes that one longer.
   *
   * @param at Where it is.
   * @param size Its bytes.
   * @throws {RangeError} When the list is full or the piece is not inside the
   * arena.
   */
  add(at: number, size: number): void {
    this.#arena.check(at, size);
    const { words } = this.#arena;
    if (at === this.#end) {
      const length = (this.next - IOVEC_SIZE + LENGTH_AT) >>> 2;
      words[length] = (words[length] ?? 0) + size;
    } else {
      if (this.#length === this.#capacity) {
        throw new RangeError(
          `Cannot add a piece: the list holds ${this.#capacity}`,
        );
      }
      const iovec = this.next;
      this.#arena.storeAddress(iovec, at);
      words[(iovec + LENGTH_AT) >>> 2] = size;
      this.#length++;
    }
    this.#end = at + size;
  }
}
