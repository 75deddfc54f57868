// Ceilings of number spaces: how far the numbers of each are kept as used in a
// place that outlives the process. Numbers are taken below the ceiling alone, and
// it moves ahead of them in blocks: whatever ends the process, the next one goes
// on above all that was sent.
import { SEQ_RANGE } from "../satp/header.ts";
import { type NumberWords, PARKED } from "./numbers.ts";

/** How many numbers are to be kept as used, from where on. */
export interface NumberRequest {
  readonly space: string;
  readonly from: number;
  readonly count: number;
}

export interface NumberRange {
  readonly first: number;
  /** Behind the last one. No more than `first` where all are used. */
  readonly end: number;
}

/** Where it is kept how far the numbers of each space were used. */
export interface NumberStore {
  /** The first number that was not used, as far as is known. */
  left(space: string): number;
  /**
   * Numbers that nobody has had and nobody else will get, at or above `from`.
   * @returns undefined where it cannot be kept that they are used
   */
  reserve(
    requests: readonly NumberRequest[],
  ): readonly (NumberRange | undefined)[];
  /** Gives back what was reserved from `next` to `end` and not used. */
  settle(unused: readonly UnusedNumbers[]): void;
  /** Keeps nothing more of spaces that never come back. */
  forget(spaces: readonly string[]): void;
}

export interface UnusedNumbers {
  readonly space: string;
  readonly next: number;
  readonly end: number;
}

/**
 * The first block, and the smallest: two seconds at a million packets a second,
 * and what a kill costs of 2^32.
 */
export const BLOCK = 2 ** 21;

/** Of the rate at which a connection sends. */
const SECONDS_AHEAD = 10;
const MAX_BLOCK = 2 ** 26;

/** Writes at a time: others have work for the main thread, too. */
const MOST_AT_A_TIME = 32;

/** With `--allow-wrap` numbers go on behind the last sender id, in a circle. */
const CIRCLE = { end: 192 * SEQ_RANGE, length: 64 * SEQ_RANGE };

interface Held {
  end: number;
  block: number;
  /** The number when the block was reserved, and when that was. */
  number: number;
  at: number;
  isSpent: boolean;
}

interface CeilingOptions {
  readonly store: NumberStore | undefined;
  readonly allowWrap: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class Ceilings {
  readonly #options: CeilingOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: CeilingOptions) {
    this.#options = options;
  }

  of(space: string): number {
    if (this.#options.store === undefined) return Infinity;
    return this.#held.get(space)?.end ?? 0;
  }

  /** The first number of a space that this process has not used yet. */
  left(space: string): number {
    // What is reserved counts as used in the store.
    return this.#held.get(space)?.number ??
      this.#options.store?.left(space) ?? 0;
  }

  /**
   * Reserves the first block of a space at once: for a connection that sends
   * already, and would not until the next look, or for keys that are to come.
   * @returns The first number, from `from` on
   */
  begin(space: string, from: number): number {
    const { store, now } = this.#options;
    if (store === undefined || this.#held.has(space)) return from;
    const [range] = store.reserve([{ space, from, count: BLOCK }]);
    if (range === undefined) return from;
    const [first, end] = [capped(range.first), capped(range.end)];
    this.#held.set(space, {
      end,
      block: end - first,
      number: first,
      at: now(),
      isSpent: end <= first,
    });
    return first;
  }

  /**
   * Moves ceilings that numbers come near to.
   * @param counting The mux that counts in each space
   * @returns Whether there is more to do at once
   */
  look(words: NumberWords, counting: ReadonlyMap<string, number>): boolean {
    const { store, allowWrap } = this.#options;
    if (allowWrap) this.#turn(words, counting);
    if (store === undefined) return false;
    const { near, fresh } = this.#due(words, counting);
    const due = [...near, ...fresh];
    const requests = due.slice(0, MOST_AT_A_TIME)
      .map((space) => this.#request(words, counting, space));
    if (requests.length === 0) return false;
    const ranges = store.reserve(requests);
    ranges.forEach((range, k) => {
      const { space = "" } = requests[k] ?? {};
      const mux = counting.get(space);
      if (range === undefined || mux === undefined) return;
      this.#raise(words, space, mux, range);
    });
    const isKept = ranges.every((range) => range !== undefined);
    return isKept && due.length > requests.length;
  }

  /** Gives back what was not used of all spaces: nothing is sent any more. */
  settle(numbers: ReadonlyMap<string, number>): void {
    // The newest first: a store may have to come to an end.
    const unused = [...this.#held].reverse().map(([space, held]) => {
      const { number, end } = held;
      return { space, next: numbers.get(space) ?? number, end };
    });
    this.#options.store?.settle(unused);
    this.#held.clear();
  }

  forget(spaces: readonly string[]): void {
    for (const space of spaces) this.#held.delete(space);
    this.#options.store?.forget(spaces);
  }

  #due(words: NumberWords, counting: ReadonlyMap<string, number>) {
    const near: string[] = [];
    const fresh: string[] = [];
    for (const [space, mux] of counting) {
      const held = this.#held.get(space);
      if (held === undefined) fresh.push(space);
      else if (!held.isSpent && held.end - words.glance(mux) < held.block / 2) {
        near.push(space);
      }
    }
    return { near, fresh };
  }

  #request(
    words: NumberWords,
    counting: ReadonlyMap<string, number>,
    space: string,
  ): NumberRequest {
    const number = words.number(counting.get(space) ?? 0);
    const held = this.#held.get(space);
    // What is above the ceiling was not sent: another member has told of it.
    if (held === undefined || number > held.end) {
      return { space, from: number, count: BLOCK };
    }
    const seconds = (this.#options.now() - held.at) / 1000;
    const rate = (number - held.number) / Math.max(seconds, 0.001);
    const ahead = Math.ceil(rate * SECONDS_AHEAD);
    const count = Math.min(MAX_BLOCK, Math.max(BLOCK, ahead));
    return { space, from: held.end, count };
  }

  #raise(
    words: NumberWords,
    space: string,
    mux: number,
    range: NumberRange,
  ): void {
    const before = this.of(space);
    const [first, end] = [capped(range.first), capped(range.end)];
    // What lies between belongs to somebody else. First the number: until the
    // ceiling moves it gets none.
    if (first > before) {
      words.exchange(mux, (number) => Math.max(number, first), false);
    }
    words.setCeiling(mux, Math.max(end, before));
    const number = words.number(mux);
    this.#held.set(space, {
      end: Math.max(end, before),
      block: end - number,
      number,
      at: this.#options.now(),
      isSpent: end <= first,
    });
  }

  #turn(words: NumberWords, counting: ReadonlyMap<string, number>): void {
    for (const [space, mux] of counting) {
      if (words.glance(mux) < CIRCLE.end) continue;
      words.exchange(mux, (number) => number - CIRCLE.length, false);
      const held = this.#held.get(space);
      if (held === undefined) continue;
      held.end -= CIRCLE.length;
      held.number -= CIRCLE.length;
      words.setCeiling(mux, held.end);
    }
  }
}

function capped(number: number): number {
  return Math.min(number, PARKED - 1);
}
