// File of the sequence numbers used in some spaces: by sender id the first
// number that was not used. A space of its own stands for every other one.
import { SEQ_RANGE } from "../satp/header.ts";
import type { TextSeal } from "./sealed_text.ts";

/** Enough for all sender ids, and the most of the rest. */
export const MAX_NUMBERS_BYTES = 2 << 20;

/** No hash: what is used at least, whichever space it is. */
export const EVERY_SPACE = "every";

/** Sender ids of all spaces together; then those with the least are one. */
const MOST_ENTRIES = 8192;

const KIND = "anytun-numbers 1";
const MAX_SENDER_ID = 0xffff;

export class UsedNumbers {
  readonly #spaces = new Map<string, Map<number, number>>();
  #isChanged = false;

  /** @throws {Error} unless it is the whole file */
  static parse(seal: TextSeal, bytes: Uint8Array): UsedNumbers {
    const used = new UsedNumbers();
    let numbers: Map<number, number> | undefined;
    let last = -1;
    for (const line of seal.open(KIND, bytes)) {
      const [, space] = /^space ([\w+/=-]+)$/.exec(line) ?? [];
      const [, id, next] = /^(\d{1,5}) (\d{1,10})$/.exec(line) ?? [];
      const [senderId, number] = [Number(id ?? NaN), Number(next ?? NaN)];
      const isNumber = senderId > last && senderId <= MAX_SENDER_ID &&
        number <= SEQ_RANGE;
      if (space !== undefined && !used.#spaces.has(space)) {
        used.#spaces.set(space, numbers = new Map());
        last = -1;
      } else if (numbers !== undefined && isNumber) {
        numbers.set(senderId, number);
        last = senderId;
      } else throw new Error(`it has the line '${line}'`);
    }
    return used;
  }

  /** What is assumed where nobody knows. */
  static all(ids: Iterable<number>): UsedNumbers {
    const used = new UsedNumbers();
    for (const id of ids) used.raise(EVERY_SPACE, id, SEQ_RANGE);
    return used;
  }

  /** Whether it is not what is in the file. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** It is in the file what it is. */
  noteWritten(): void {
    this.#isChanged = false;
  }

  spaces(): Iterable<string> {
    return this.#spaces.keys();
  }

  /** By sender id the first number that was not used, as it is now. */
  entries(space: string): readonly (readonly [number, number])[] {
    return [...this.#spaces.get(space) ?? []];
  }

  /** The first number that was not used in any space. */
  most(id: number): number {
    const numbers = [...this.#spaces.values()];
    return Math.max(0, ...numbers.map((next) => next.get(id) ?? 0));
  }

  /** The first number that was not used. */
  of(space: string, id: number): number {
    const every = this.#spaces.get(EVERY_SPACE)?.get(id) ?? 0;
    return Math.max(every, this.#spaces.get(space)?.get(id) ?? 0);
  }

  set(space: string, id: number, next: number): void {
    const numbers = this.#spaces.get(space) ?? new Map<number, number>();
    if (next > 0) numbers.set(id, next);
    else numbers.delete(id);
    if (numbers.size > 0) this.#spaces.set(space, numbers);
    else this.#spaces.delete(space);
    this.#isChanged = true;
  }

  raise(space: string, id: number, next: number): void {
    if (this.of(space, id) < next) this.set(space, id, next);
  }

  /** Unless somebody has used more since. */
  lower(space: string, id: number, from: number, next: number): void {
    if (this.#spaces.get(space)?.get(id) === from) this.set(space, id, next);
  }

  forget(space: string): void {
    if (this.#spaces.delete(space)) this.#isChanged = true;
  }

  format(seal: TextSeal): Uint8Array<ArrayBuffer> {
    this.#join();
    const lines = [...this.#spaces].flatMap(([space, numbers]) => [
      `space ${space}`,
      ...[...numbers].sort(([a], [b]) => a - b)
        .map(([senderId, next]) => `${senderId} ${next}`),
    ]);
    return seal.seal(KIND, lines);
  }

  // Of keys that are gone nobody says that they never come back. Those used
  // least cost least as a part of every space.
  #join(): void {
    const entries = [...this.#spaces].flatMap(([space, numbers]) =>
      space === EVERY_SPACE
        ? []
        : [...numbers].map(([id, next]) => ({ space, id, next }))
    );
    if (entries.length <= MOST_ENTRIES) return;
    const least = entries.sort((a, b) => a.next - b.next)
      .slice(0, -MOST_ENTRIES / 2);
    for (const { space, id, next } of least) {
      this.raise(EVERY_SPACE, id, next);
      this.set(space, id, 0);
    }
  }
}
