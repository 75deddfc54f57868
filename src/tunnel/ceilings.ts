// Ceilings of number spaces: how far the numbers of each are kept as used in a
// place that outlives the process. Numbers are taken below the ceiling alone, and
// it moves ahead of them in blocks: whatever ends the process, the next one goes
// on above all that was sent.
import { SEQ_RANGE } from "../satp/header.ts";
import {
  BLOCK,
  type NumberRange,
  type NumberRequest,
  type NumberStore,
} from "../state/number_store.ts";
import { type NumberWords, STANDBY } from "./numbers.ts";

/** Of the rate at which a connection sends. */
const SECONDS_AHEAD = 10;
const MAX_BLOCK = 2 ** 26;

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

/**
 * Makes a change that threads see whole: who finds no numbers meanwhile waits for
 * its end, and looks again.
 */
export type InOneGo = (mux: number, change: () => void) => void;

export class Ceilings {
  readonly #options: CeilingOptions;
  readonly #held = new Map<string, Held>();
  #areRefused = false;

  constructor(options: CeilingOptions) {
    this.#options = options;
  }

  /** Whether it is kept anywhere how far numbers are used. */
  get areKept(): boolean {
    return this.#options.store !== undefined;
  }

  /** Whether the store has refused numbers at the last look. */
  get areRefused(): boolean {
    return this.#areRefused;
  }

  holds(space: string): boolean {
    return this.#held.has(space);
  }

  of(space: string): number {
    if (this.#options.store === undefined) return Infinity;
    return this.#held.get(space)?.end ?? 0;
  }

  /** The first number of a space that this process has not used yet. */
  firstUnused(space: string): number {
    // What is reserved counts as used in the store.
    return this.#held.get(space)?.number ??
      this.#options.store?.firstUnused(space) ?? 0;
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
   * @param active The mux of the active connection of each space
   */
  look(
    words: NumberWords,
    active: ReadonlyMap<string, number>,
    inOneGo: InOneGo,
  ): void {
    const { store, allowWrap } = this.#options;
    if (allowWrap) this.#turn(words, active, inOneGo);
    if (store === undefined) return;
    const requests = this.#due(words, active)
      .map((space) => this.#request(words, active, space));
    this.#areRefused = false;
    if (requests.length === 0) return;
    const ranges = store.reserve(requests);
    this.#areRefused = ranges.includes(undefined);
    ranges.forEach((range, k) => {
      const { space = "" } = requests[k] ?? {};
      const mux = active.get(space);
      if (range === undefined || mux === undefined) return;
      const raise = () => this.#raise(words, space, mux, range);
      if (range.first > this.of(space)) inOneGo(mux, raise);
      else raise();
    });
  }

  /**
   * Gives back what was not used of spaces in which nothing is sent any more.
   * @param numbers The next number of each
   * @returns Whether it is kept how far they were used
   */
  settle(numbers: ReadonlyMap<string, number>): boolean {
    const { store } = this.#options;
    if (store === undefined) return false;
    const unused = [...numbers].flatMap(([space, next]) => {
      const held = this.#held.get(space);
      return held === undefined ? [] : [{ space, next, held }];
    });
    const isKept = store.settle(
      unused.map(({ space, next, held: { end } }) => ({ space, next, end })),
    );
    for (const { space, next, held } of unused) {
      if (isKept) this.#held.delete(space);
      // A part may be on the disk none the less, and be somebody else's by now.
      else held.end = Math.min(held.end, next);
    }
    return isKept;
  }

  /** The same of all spaces. */
  settleAll(numbers: ReadonlyMap<string, number>): void {
    const all = [...this.#held].map(([space, { number }]) =>
      [space, numbers.get(space) ?? number] as const
    );
    this.settle(new Map(all));
    this.#held.clear();
  }

  forget(spaces: readonly string[]): void {
    for (const space of spaces) this.#held.delete(space);
    this.#options.store?.forget(spaces);
  }

  #due(words: NumberWords, active: ReadonlyMap<string, number>): string[] {
    const due: string[] = [];
    for (const [space, mux] of active) {
      const held = this.#held.get(space);
      const isNear = held === undefined ||
        !held.isSpent && held.end - words.glance(mux) < held.block / 2;
      if (isNear) due.push(space);
    }
    return due;
  }

  #request(
    words: NumberWords,
    active: ReadonlyMap<string, number>,
    space: string,
  ): NumberRequest {
    const number = words.number(active.get(space) ?? 0);
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
      words.exchange(mux, (number) => Math.max(number, first));
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

  #turn(
    words: NumberWords,
    active: ReadonlyMap<string, number>,
    inOneGo: InOneGo,
  ): void {
    for (const [space, mux] of active) {
      if (words.glance(mux) < CIRCLE.end) continue;
      const held = this.#held.get(space);
      inOneGo(mux, () => {
        if (held !== undefined) {
          held.end -= CIRCLE.length;
          held.number -= CIRCLE.length;
          // First: above it nothing is reserved at either end of the circle.
          words.setCeiling(mux, held.end);
        }
        words.exchange(mux, (number) => number - CIRCLE.length);
      });
    }
  }
}

function capped(number: number): number {
  return Math.min(number, STANDBY - 1);
}
