// Sets of muxes in memory that the threads share: a bit each, and in front of them
// one word that says what most questions are about.

const MUXES = 0x10000;
const BITMAP_WORDS = MUXES / 32;

/** Behind the word in front. */
const BITMAP = 1;

const SET_WORDS = BITMAP + BITMAP_WORDS;

/**
 * Muxes in use. The word tells the lowest of them, which point-to-point tunnels
 * ask for with each packet. One thread writes.
 */
export class LiveMuxes {
  static readonly WORDS = SET_WORDS;
  readonly #words: Uint32Array;

  /** @param at Place of {@linkcode LiveMuxes.WORDS} words, in bytes */
  constructor(shared: SharedArrayBuffer, at: number) {
    this.#words = new Uint32Array(shared, at, SET_WORDS);
  }

  /** The lowest one, or -1 without any. */
  get lowest(): number {
    // Counted from the end, so that fresh memory says that there is none.
    const fromEnd = Atomics.load(this.#words, 0);
    return fromEnd === 0 ? -1 : MUXES - fromEnd;
  }

  add(mux: number): void {
    addBit(this.#words, mux);
    const { lowest } = this;
    if (lowest < 0 || mux < lowest) this.#setLowest(mux);
  }

  has(mux: number): boolean {
    const bits = Atomics.load(this.#words, BITMAP + (mux >>> 5));
    return (bits >>> (mux & 31) & 1) === 1;
  }

  delete(mux: number): void {
    takeBit(this.#words, mux);
    if (mux === this.lowest) this.#setLowest(nextBit(this.#words, mux));
  }

  list(): number[] {
    const muxes: number[] = [];
    for (let mux = -1;;) {
      mux = nextBit(this.#words, mux + 1);
      if (mux === MUXES) return muxes;
      muxes.push(mux);
    }
  }

  #setLowest(mux: number): void {
    Atomics.store(this.#words, 0, MUXES - mux);
  }
}

/**
 * Muxes that are due for a datagram without payload: the main thread asks, and
 * whoever sends for a connection takes it. The word moves whenever some are
 * added: it is all that a thread looks at each round.
 */
export class DueMuxes {
  static readonly WORDS = SET_WORDS;
  readonly #words: Uint32Array;

  /** @param at Place of {@linkcode DueMuxes.WORDS} words, in bytes */
  constructor(shared: SharedArrayBuffer, at: number) {
    this.#words = new Uint32Array(shared, at, SET_WORDS);
  }

  /** Moves whenever some are added. */
  get turn(): number {
    return Atomics.load(this.#words, 0);
  }

  add(muxes: readonly number[]): void {
    for (const mux of muxes) addBit(this.#words, mux);
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
    for (let mux = nextBit(this.#words, from); mux < MUXES;) {
      if (mux % of === index && takeBit(this.#words, mux)) return mux;
      mux = nextBit(this.#words, mux + 1);
    }
    return -1;
  }
}

function addBit(words: Uint32Array, mux: number): void {
  Atomics.or(words, BITMAP + (mux >>> 5), 1 << (mux & 31));
}

/** @returns Whether it was there */
function takeBit(words: Uint32Array, mux: number): boolean {
  const before = Atomics.and(words, BITMAP + (mux >>> 5), ~(1 << (mux & 31)));
  return (before >>> (mux & 31) & 1) === 1;
}

/** The first mux from this one on, or how many there may be. */
function nextBit(words: Uint32Array, mux: number): number {
  for (let word = mux >>> 5, from = mux & 31; word < BITMAP_WORDS; word++) {
    const bits = Atomics.load(words, BITMAP + word) >>> from << from;
    if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits);
    from = 0;
  }
  return MUXES;
}
