// What the thread that runs inputs and the one that watches it tell each other.

export interface FuzzOrder {
  readonly name: string;
  readonly seed: number;
  /** Whichever comes first. */
  readonly runs: number;
  readonly seconds: number;
  /** Whether what was found is to be added to the corpus. */
  readonly keep: boolean;
  /** A {@linkcode Blackboard}. */
  readonly board: SharedArrayBuffer;
}

export type FuzzNews =
  | {
    readonly kind: "progress" | "end";
    readonly runs: number;
    /** Since the start, in s. */
    readonly seconds: number;
    /** Inputs that have run something new. */
    readonly found: number;
    /** Bytes of code that were run. */
    readonly coverage: number;
    /** Bytes in use after a collection. */
    readonly heap: number;
  }
  | {
    readonly kind: "failure";
    readonly what: string;
    readonly input: Uint8Array;
  };

const WORDS = 2;
const NUMBER = 0;
const SIZE = 1;

/** The input at work, for the thread that watches to see. */
export class Blackboard {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  static allocate(maxBytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * 4 + maxBytes);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#bytes = new Uint8Array(shared, WORDS * 4);
  }

  write(input: Uint8Array): void {
    this.#bytes.set(input);
    Atomics.store(this.#words, SIZE, input.length);
    Atomics.add(this.#words, NUMBER, 1);
  }

  /** Moves with every input. */
  get number(): number {
    return Atomics.load(this.#words, NUMBER);
  }

  get input(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#words, SIZE));
  }
}
