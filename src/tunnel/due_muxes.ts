// Connections that are due for a datagram without payload, in shared memory: the
// main thread asks, and whoever sends for a connection takes it.

const MUXES = 0x10000;
const BITMAP_WORDS = MUXES / 32;

/** Behind the turn. */
const BITMAP = 1;

export class DueMuxes {
  static readonly WORDS = BITMAP + BITMAP_WORDS;
  readonly #words: Uint32Array;

  /** @param at Place of {@linkcode DueMuxes.WORDS} words, in bytes */
  constructor(shared: SharedArrayBuffer, at: number) {
    this.#words = new Uint32Array(shared, at, DueMuxes.WORDS);
  }

  /** Moves whenever some are added: all that a thread looks at each round. */
  get turn(): number {
    return Atomics.load(this.#words, 0);
  }

  add(muxes: readonly number[]): void {
    for (const mux of muxes) {
      Atomics.or(this.#words, BITMAP + (mux >>> 5), 1 << (mux & 31));
    }
    if (muxes.length > 0) Atomics.add(this.#words, 0, 1);
  }

  /**
   * Takes one.
   *
   * @param from The lowest that is looked at
   * @param of How many threads share them
   * @param index Of this one: its muxes have that remainder
   * @returns -1 if there is none
   */
  take(from: number, of = 1, index = 0): number {
    for (let word = from >>> 5; word < BITMAP_WORDS; word++) {
      let bits = Atomics.load(this.#words, BITMAP + word);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= ~(1 << bit);
        const mux = word * 32 + bit;
        if (mux < from || mux % of !== index) continue;
        const before = Atomics.and(this.#words, BITMAP + word, ~(1 << bit));
        if ((before >>> bit & 1) === 1) return mux;
      }
    }
    return -1;
  }
}
