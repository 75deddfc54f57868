// The loop: inputs are changed, given to the target, and kept where they have
// run code that no other has.
import type { Coverage } from "./coverage.ts";
import { Mutator } from "./mutator.ts";
import type { Random } from "./random.ts";
import { MAX_BYTES, type Target } from "./target.ts";

/** Inputs from one look at the coverage to the next. */
const BATCH = { first: 512, last: 16_384 } as const;

/** Of inputs that are kept; each further one takes the place of another. */
const MAX_KEPT = 2000;

/** A quarter of all inputs is made of so many that were kept last. */
const RECENT = 16;

export class Fuzzer {
  readonly #target: Target;
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  readonly #starting: (input: Uint8Array) => void;
  readonly #mutator: Mutator;
  readonly #kept: Uint8Array[];
  /** Those that were kept beside those it began with. */
  readonly #found: Uint8Array[] = [];
  /** The inputs of a batch, each in a place of its own. */
  readonly #places: readonly Uint8Array[];
  readonly #sizes: Uint32Array;
  #batch: number;
  #runs = 0;

  /**
   * @param corpus Inputs beside the target's own seeds
   * @param coverage Without it nothing is kept
   * @param starting Called before the target gets an input
   */
  constructor(
    target: Target,
    corpus: readonly Uint8Array[],
    random: Random,
    coverage?: Coverage,
    starting: (input: Uint8Array) => void = () => {},
  ) {
    this.#target = target;
    this.#random = random;
    this.#coverage = coverage;
    this.#starting = starting;
    this.#mutator = new Mutator(random, target.words ?? []);
    const { maxBytes = MAX_BYTES } = target;
    this.#kept = [new Uint8Array(), ...target.seeds, ...corpus]
      .map((input) => input.slice(0, maxBytes));
    const places = coverage === undefined ? BATCH.first : BATCH.last;
    const memory = new Uint8Array(places * maxBytes);
    this.#places = Array.from(
      { length: places },
      (_, i) => memory.subarray(i * maxBytes, (i + 1) * maxBytes),
    );
    this.#sizes = new Uint32Array(places);
    this.#batch = BATCH.first;
  }

  get runs(): number {
    return this.#runs;
  }

  get found(): readonly Uint8Array[] {
    return this.#found;
  }

  /** Runs what there is from the start, unchanged. */
  async replay(): Promise<void> {
    for (const input of this.#kept) await this.#run(input);
    await this.#coverage?.hasGrown(true);
  }

  /** Runs a batch of new inputs, `most` at most. */
  async step(most: number): Promise<void> {
    const count = Math.min(most, this.#batch);
    for (let i = 0; i < count; i++) this.#make(i);
    await this.#runFrom(0, count);
    if (this.#coverage === undefined) return;
    if (await this.#coverage.hasGrown(false)) {
      await this.#keepNew(0, count);
      // What could not be found again is of the target's making.
      await this.#runFrom(0, count);
      await this.#coverage.hasGrown(true);
    } else this.#batch = Math.min(2 * this.#batch, BATCH.last);
  }

  #make(i: number): void {
    const place = this.#places[i] ?? new Uint8Array();
    const from = this.#pick();
    this.#sizes[i] = this.#mutator.mutate(from, this.#pick(), place);
  }

  #pick(): Uint8Array {
    const kept = this.#kept;
    const random = this.#random;
    const newest = Math.min(RECENT, this.#found.length);
    const at = newest > 0 && random.below(4) === 0
      ? kept.length - 1 - random.below(newest)
      : random.below(kept.length);
    return kept[at] ?? new Uint8Array();
  }

  #input(i: number): Uint8Array {
    return this.#places[i]?.subarray(0, this.#sizes[i]) ?? new Uint8Array();
  }

  async #runFrom(first: number, end: number): Promise<void> {
    for (let i = first; i < end; i++) {
      const done = this.#run(this.#input(i));
      if (done !== undefined) await done;
    }
  }

  #run(input: Uint8Array): void | Promise<void> {
    this.#runs++;
    this.#starting(input);
    return this.#target.run(input);
  }

  /** Halves a batch until the inputs are alone that have run something new. */
  async #keepNew(first: number, end: number): Promise<void> {
    const isAlone = end - first === 1;
    await this.#runFrom(first, end);
    if (await this.#coverage?.hasGrown(isAlone) !== true) return;
    if (isAlone) return this.#keep(this.#input(first).slice());
    const middle = (first + end) >>> 1;
    await this.#keepNew(first, middle);
    await this.#keepNew(middle, end);
  }

  #keep(input: Uint8Array): void {
    this.#found.push(input);
    if (this.#kept.length < MAX_KEPT) this.#kept.push(input);
    else this.#kept[this.#random.below(MAX_KEPT)] = input;
    this.#batch = Math.max(BATCH.first, this.#batch >>> 1);
  }
}
