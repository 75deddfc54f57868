// Addresses of this host that peers have addressed, in memory that the threads
// share: answers leave from there, also where this host has several. Four words
// each, those of an IPv6 address, or the one of an IPv4 address and zeros; all
// are zero where it is for the kernel to choose. Whoever changes them holds the
// lock of the connection's record.

/** Words of an address. */
export const LOCAL_WORDS = 4;

const MUXES = 0x10000;
const STRIDE = LOCAL_WORDS + 1;
/** Behind the address: 1 where this side speaks first. */
const CALLS = LOCAL_WORDS;

export class LocalAddresses {
  static readonly WORDS = MUXES * STRIDE;
  readonly #words: Uint32Array;

  /** @param at Place of {@linkcode LocalAddresses.WORDS} words, in bytes */
  constructor(shared: SharedArrayBuffer, at: number) {
    this.#words = new Uint32Array(shared, at, LocalAddresses.WORDS);
  }

  copy(mux: number, to: Uint32Array): void {
    copyLocal(this.#words, mux * STRIDE, to, 0);
  }

  set(mux: number, from: Uint32Array, at: number): void {
    copyLocal(from, at, this.#words, mux * STRIDE);
  }

  clear(mux: number): void {
    this.#words.fill(0, mux * STRIDE, mux * STRIDE + LOCAL_WORDS);
  }

  /** Whether this side was told where the peer is. */
  calls(mux: number): boolean {
    return this.#words[mux * STRIDE + CALLS] === 1;
  }

  setCalls(mux: number, calls: boolean): void {
    this.#words[mux * STRIDE + CALLS] = calls ? 1 : 0;
  }
}

export function copyLocal(
  from: Uint32Array,
  atFrom: number,
  to: Uint32Array,
  atTo: number,
): void {
  for (let k = 0; k < LOCAL_WORDS; k++) to[atTo + k] = from[atFrom + k] ?? 0;
}

// By bits, see sameSockaddr().
export function sameLocal(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  let difference = 0;
  for (let k = 0; k < LOCAL_WORDS; k++) {
    difference |= (a[atA + k] ?? 0) ^ (b[atB + k] ?? 0);
  }
  return difference === 0;
}

export function isLocal(words: Uint32Array, at: number): boolean {
  let bits = 0;
  for (let k = 0; k < LOCAL_WORDS; k++) bits |= words[at + k] ?? 0;
  return bits !== 0;
}
