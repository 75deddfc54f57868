/**
 * The next number of each connection, with the epoch of the keys that it
 * belongs to (24 bits) in one word of shared memory: whoever takes a number
 * learns at the same instant which keys it is for.
 *
 * @module
 */
import { PARKED, SEQ_RANGE, SPENT, STALE } from "./numbers.ts";

const NUMBER_BITS = 40n;
const NUMBER_MASK = (1n << NUMBER_BITS) - 1n;
const EPOCH_MASK = 0xffffff;

/** The words of all connections. */
export class NumberWords {
  readonly #words: BigUint64Array;
  readonly #first: number;
  readonly #stride: number;

  /**
   * @param first Place of the word of mux 0, in words of 64 bits
   * @param stride How many such words a connection has
   */
  constructor(shared: SharedArrayBuffer, first: number, stride: number) {
    this.#words = new BigUint64Array(shared);
    this.#first = first;
    this.#stride = stride;
  }

  /** Changes whenever the keys do. */
  epoch(mux: number): number {
    return Number(Atomics.load(this.#words, this.#at(mux)) >> NUMBER_BITS);
  }

  /** The number that is next. */
  number(mux: number): number {
    return Number(Atomics.load(this.#words, this.#at(mux)) & NUMBER_MASK);
  }

  /**
   * Takes `count` numbers for datagrams sealed with the keys of `epoch`.
   *
   * @param limit One more than the highest number that may be taken; without
   * one a single sender id is meant
   * @returns The first of them; {@link STALE} if the keys have changed since or
   * another connection counts for this one; {@link SPENT} if there are not that
   * many left, and from then on always
   */
  reserve(
    mux: number,
    epoch: number,
    count: number,
    limit: number = SEQ_RANGE,
  ): number {
    const at = this.#at(mux);
    for (;;) {
      const seen = Atomics.load(this.#words, at);
      if (Number(seen >> NUMBER_BITS) !== epoch) return STALE;
      const number = Number(seen & NUMBER_MASK);
      if (number === PARKED) return STALE;
      if (number >= limit) return SPENT;
      const fits = number + count <= limit;
      const next = seen + BigInt(fits ? count : limit - number);
      if (Atomics.compareExchange(this.#words, at, seen, next) === seen) {
        return fits ? number : SPENT;
      }
    }
  }

  /**
   * Sets another next number. Whoever takes some meanwhile gets them before or
   * after it: what this returns is exactly how far it came.
   *
   * @param next What it is to be, given what it is
   * @param newEpoch Whether it is for other keys
   * @returns What it was
   */
  exchange(
    mux: number,
    next: (number: number) => number,
    newEpoch: boolean,
  ): number {
    const at = this.#at(mux);
    for (;;) {
      const seen = Atomics.load(this.#words, at);
      const number = Number(seen & NUMBER_MASK);
      const epoch = Number(seen >> NUMBER_BITS) + (newEpoch ? 1 : 0);
      const word = BigInt(epoch & EPOCH_MASK) << NUMBER_BITS |
        BigInt(next(number));
      if (Atomics.compareExchange(this.#words, at, seen, word) === seen) {
        return number;
      }
    }
  }

  #at(mux: number): number {
    return this.#first + mux * this.#stride;
  }
}
