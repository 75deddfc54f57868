// Mutations: a new input from one or two that are known.
import type { Random } from "./random.ts";

/** Values at which lengths, numbers and signs turn over. */
const EDGES = [
  ...[0, 1, 7, 8, 9, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256],
  ...[511, 512, 1023, 1024, 32767, 32768, 65534, 65535, 65536],
  ...[0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
] as const;

const DIGITS = /[0-9]+/g;

/** Changes `bytes` up to `size`, and returns the new size. */
type Step = (bytes: Uint8Array, size: number) => number;

export class Mutator {
  readonly #random: Random;
  readonly #words: readonly Uint8Array[];
  readonly #steps: readonly [Step, ...Step[]];

  /** @param words Put into inputs as they are */
  constructor(random: Random, words: readonly string[]) {
    this.#random = random;
    this.#words = words.map((word) => new TextEncoder().encode(word));
    const steps: [Step, ...Step[]] = [
      this.#flip,
      this.#replace,
      this.#edge,
      this.#add,
      this.#erase,
      this.#insert,
      this.#copy,
      this.#number,
    ];
    if (words.length > 0) steps.push(this.#word, this.#word);
    this.#steps = steps;
  }

  /**
   * @param from Is changed
   * @param other Gives its end to some
   * @param into As long as an input may be
   * @returns How much of `into` is the new input
   */
  mutate(from: Uint8Array, other: Uint8Array, into: Uint8Array): number {
    const random = this.#random;
    let size = put(into, 0, from);
    if (random.below(8) === 0) {
      const at = random.below(size + 1);
      size = put(into, at, other.subarray(random.below(other.length + 1)));
    }
    for (let steps = 1 << random.below(4); steps > 0; steps--) {
      size = random.of(this.#steps)(into, size);
    }
    return size;
  }

  readonly #flip: Step = (bytes, size) => {
    const at = this.#random.below(size);
    if (size > 0) bytes[at] = (bytes[at] ?? 0) ^ 1 << this.#random.below(8);
    return size;
  };

  readonly #replace: Step = (bytes, size) => {
    if (size > 0) bytes[this.#random.below(size)] = this.#random.below(256);
    return size;
  };

  readonly #edge: Step = (bytes, size) => {
    const random = this.#random;
    const value = random.of(EDGES);
    const width = 1 << random.below(3);
    if (size < width) return size;
    const at = random.below(size - width + 1);
    const isLittle = random.below(4) === 0;
    for (let k = 0; k < width; k++) {
      bytes[at + k] = value >>> 8 * (isLittle ? k : width - 1 - k);
    }
    return size;
  };

  readonly #add: Step = (bytes, size) => {
    const at = this.#random.below(size);
    const change = this.#random.below(33) - 16;
    if (size > 0) bytes[at] = (bytes[at] ?? 0) + change;
    return size;
  };

  readonly #erase: Step = (bytes, size) => {
    const at = this.#random.below(size);
    const end = Math.min(size, at + 1 + this.#length());
    bytes.copyWithin(at, end, size);
    return size - (end - at);
  };

  readonly #insert: Step = (bytes, size) => {
    const random = this.#random;
    const at = random.below(size + 1);
    const end = Math.min(bytes.length, at + 1 + this.#length());
    const newSize = open(bytes, size, at, end - at);
    bytes.fill(random.below(2) === 0 ? 0 : random.below(256), at, end);
    return newSize;
  };

  readonly #copy: Step = (bytes, size) => {
    const random = this.#random;
    const from = random.below(size);
    const piece = bytes.slice(from, Math.min(size, from + 1 + this.#length()));
    const at = random.below(size + 1);
    const isOver = random.below(2) === 0;
    const newSize = isOver ? size : open(bytes, size, at, piece.length);
    return Math.max(newSize, put(bytes, at, piece));
  };

  /** Of numbers in text one becomes another. */
  readonly #number: Step = (bytes, size) => {
    const random = this.#random;
    const from = random.below(size);
    const text = String.fromCharCode(...bytes.subarray(from, from + 40));
    const [found] = text.matchAll(DIGITS);
    if (found === undefined || from + found.index >= size) return size;
    const [digits] = found;
    const value = random.below(2) === 0
      ? random.of(EDGES)
      : Number(digits) + random.below(5) - 2;
    return this.#swap(bytes, size, from + found.index, digits.length, value);
  };

  readonly #word: Step = (bytes, size) => {
    const random = this.#random;
    const word = this.#words[random.below(this.#words.length)];
    if (word === undefined) return size;
    const at = random.below(size + 1);
    const isOver = random.below(2) === 0;
    const newSize = isOver ? size : open(bytes, size, at, word.length);
    return Math.max(newSize, put(bytes, at, word));
  };

  #swap(
    bytes: Uint8Array,
    size: number,
    at: number,
    length: number,
    value: number,
  ): number {
    const text = new TextEncoder().encode(String(value));
    const rest = bytes.slice(at + length, size);
    return put(bytes, put(bytes, at, text), rest);
  }

  /** Mostly short. */
  #length(): number {
    return this.#random.below(1 << this.#random.below(7));
  }
}

/** Writes as much as there is room for, and returns where it ends. */
function put(bytes: Uint8Array, at: number, piece: Uint8Array): number {
  const fitting = piece.subarray(0, bytes.length - at);
  bytes.set(fitting, at);
  return at + fitting.length;
}

/** Makes room at a place; what goes beyond the end is lost. */
function open(
  bytes: Uint8Array,
  size: number,
  at: number,
  length: number,
): number {
  bytes.copyWithin(at + length, at, size);
  return Math.min(bytes.length, size + length);
}
