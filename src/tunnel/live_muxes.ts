// Set of the muxes in use in shared memory, with the lowest of them, which
// point-to-point tunnels ask for with each packet. One thread writes.

const MUXES = 0x10000;
const BITMAP_WORDS = MUXES / 32;

const BITMAP = 1;

export class LiveMuxes {
  static readonly WORDS = BITMAP + BITMAP_WORDS;
  readonly #words: Uint32Array;

  /** @param at Place of {@linkcode LiveMuxes.WORDS} words, in bytes */
  constructor(shared: SharedArrayBuffer, at: number) {
    this.#words = new Uint32Array(shared, at, LiveMuxes.WORDS);
  }

  /** The lowest one, or -1 without any. */
  get lowest(): number {
    // Counted from the end, so that fresh memory says that there is none.
    const fromEnd = Atomics.load(this.#words, 0);
    return fromEnd === 0 ? -1 : MUXES - fromEnd;
  }

  add(mux: number): void {
    Atomics.or(this.#words, BITMAP + (mux >>> 5), 1 << (mux & 31));
    const { lowest } = this;
    if (lowest < 0 || mux < lowest) this.#setLowest(mux);
  }

  has(mux: number): boolean {
    const bits = Atomics.load(this.#words, BITMAP + (mux >>> 5));
    return (bits >>> (mux & 31) & 1) === 1;
  }

  delete(mux: number): void {
    Atomics.and(this.#words, BITMAP + (mux >>> 5), ~(1 << (mux & 31)));
    if (mux === this.lowest) this.#setLowest(this.#next(mux));
  }

  list(): number[] {
    const muxes: number[] = [];
    for (let mux = this.#next(0); mux < MUXES; mux = this.#next(mux + 1)) {
      muxes.push(mux);
    }
    return muxes;
  }

  #setLowest(mux: number): void {
    Atomics.store(this.#words, 0, MUXES - mux);
  }

  /** The first one from `mux` on, or how many muxes there may be. */
  #next(mux: number): number {
    for (let word = mux >>> 5, from = mux & 31; word < BITMAP_WORDS; word++) {
      const bits = Atomics.load(this.#words, BITMAP + word) >>> from << from;
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits);
      from = 0;
    }
    return MUXES;
  }
}
