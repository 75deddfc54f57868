// Numbers of datagrams: 40 bits. The lower 32 are the sequence number on the
// wire; the upper 8, the generation, say which sender id of a list goes with
// it. Where the sequence number of the originals wraps and uses the key stream
// of 2^32 datagrams again, here the next sender id makes a new one.
import { SEQ_RANGE } from "../satp/header.ts";
import { openReserve, type Reserve } from "./reserve.ts";
import { MAX_SENDER_IDS } from "./settings.ts";

/** No number: another connection of the space is active. */
export const STANDBY = MAX_SENDER_IDS * SEQ_RANGE - 1;

/** Instead of a number: the keys are others by now. */
export const STALE = -1;

/** Instead of a number: there is none left. */
export const SPENT = -2;

/**
 * How far ahead of the own sequence number that of another member may be: what
 * is further ahead is more likely behind, or a mistake.
 */
const MAX_LEAP = 2 ** 31;

const NUMBER_BITS = 40n;
const NUMBER_MASK = (1n << NUMBER_BITS) - 1n;
const EPOCH_MASK = 0xffffff;
const GENERATION_MASK = 0xff;

export function wireSeq(number: number): number {
  return number === STANDBY ? 0 : number % SEQ_RANGE;
}

export function isTooFarAhead(number: number, seq: number): boolean {
  return seq - number % SEQ_RANGE > MAX_LEAP;
}

/** The number, or that with this sequence number if it is higher. */
export function raisedTo(number: number, seq: number): number {
  const raised = number - number % SEQ_RANGE + seq;
  return Math.max(number, Math.min(raised, STANDBY - 1));
}

/** What a list of sender ids is cut to where the last one may wrap. */
const MAX_IDS_THAT_WRAP = MAX_SENDER_IDS / 2;

export class SenderIds {
  /** One more than the highest number that may be used. */
  readonly limit: number;
  /** From here on half of the last generation is used. */
  readonly lowAt: number;
  readonly #ids: readonly number[];

  /**
   * @param allowWrap Whether the sequence numbers of the last one begin anew
   * when they are used up, as those of the originals do
   * @throws {RangeError} unless there are 1 to {@link MAX_SENDER_IDS}
   */
  constructor(ids: readonly number[], allowWrap = false) {
    if (ids.length < 1 || ids.length > MAX_SENDER_IDS) {
      throw new RangeError(
        `Cannot count with ${ids.length} sender ids: it must be 1 to ${MAX_SENDER_IDS}`,
      );
    }
    this.#ids = allowWrap ? ids.slice(0, MAX_IDS_THAT_WRAP) : ids;
    const generations = allowWrap ? MAX_SENDER_IDS : ids.length;
    this.limit = Math.min(generations * SEQ_RANGE, STANDBY - 1);
    this.lowAt = allowWrap
      ? Infinity
      : (ids.length - 1) * SEQ_RANGE + SEQ_RANGE / 2;
  }

  /** The sender id of a generation; of those behind the last one the last. */
  of(generation: number): number {
    return this.#ids[generation] ?? this.last;
  }

  get last(): number {
    return this.#ids.at(-1) ?? 0;
  }
}

/** Of mux 0, in words of 64 bits, and how many of those a connection has. */
interface NumberPlaces {
  readonly number: number;
  readonly ceiling: number;
  readonly stride: number;
}

/**
 * The next number of each connection and the epoch of the keys that it is for
 * (24 bits), as one word of shared memory: whoever takes a number learns at the
 * same instant which keys go with it.
 */
export class NumberWords {
  readonly #words: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #reserve: Reserve;
  readonly #places: NumberPlaces;

  constructor(shared: WebAssembly.Memory, places: NumberPlaces) {
    this.#words = new BigUint64Array(shared.buffer);
    this.#halves = new Uint32Array(shared.buffer);
    this.#doubles = new Float64Array(shared.buffer);
    this.#reserve = openReserve(shared);
    this.#places = places;
  }

  epoch(mux: number): number {
    return Number(Atomics.load(this.#words, this.#at(mux)) >> NUMBER_BITS);
  }

  number(mux: number): number {
    return Number(Atomics.load(this.#words, this.#at(mux)) & NUMBER_MASK);
  }

  /**
   * The same at the price of two loads. It may be wrong by 2^32 for an instant,
   * when the sender id changes.
   */
  glance(mux: number): number {
    const at = 2 * this.#at(mux);
    const generation = (this.#halves[at + 1] ?? 0) & GENERATION_MASK;
    return generation * SEQ_RANGE + (this.#halves[at] ?? 0);
  }

  /** One more than the highest number that may be taken so far. */
  ceiling(mux: number): number {
    return this.#doubles[this.#ceilingAt(mux)] ?? 0;
  }

  setCeiling(mux: number, ceiling: number): void {
    this.#doubles[this.#ceilingAt(mux)] = ceiling;
  }

  /**
   * Takes `count` numbers below the ceiling for datagrams sealed with the keys of
   * `epoch`.
   *
   * @param limit One more than the highest number that may ever be taken;
   * without one a single sender id is meant
   * @returns The first of them; {@link STALE} if the keys have changed since or
   * another connection of the space is active; {@link SPENT} if there are not that
   * many left, and from then on as long as the ceiling stays
   */
  reserve(
    mux: number,
    epoch: number,
    count: number,
    limit: number = SEQ_RANGE,
  ): number {
    const at = this.#at(mux) * BigUint64Array.BYTES_PER_ELEMENT;
    // Before the word: with keys that are new by then it gives nothing.
    const ceiling = this.#doubles[this.#ceilingAt(mux)] ?? 0;
    return this.#reserve(at, epoch, count, Math.min(limit, ceiling));
  }

  /**
   * Sets another next number, and returns exactly how far the one before came:
   * whoever takes some meanwhile gets them before or after it.
   *
   * @param epoch Whether the numbers after it belong to other keys
   */
  exchange(
    mux: number,
    next: (number: number) => number,
    epoch: "same" | "next" = "same",
  ): number {
    const at = this.#at(mux);
    const step = epoch === "next" ? 1 : 0;
    for (;;) {
      const seen = Atomics.load(this.#words, at);
      const number = Number(seen & NUMBER_MASK);
      const counted = Number(seen >> NUMBER_BITS) + step;
      const word = BigInt(counted & EPOCH_MASK) << NUMBER_BITS |
        BigInt(next(number));
      if (Atomics.compareExchange(this.#words, at, seen, word) === seen) {
        return number;
      }
    }
  }

  #at(mux: number): number {
    return this.#places.number + mux * this.#places.stride;
  }

  #ceilingAt(mux: number): number {
    return this.#places.ceiling + mux * this.#places.stride;
  }
}
