// Routing table in memory that the threads share: the data plane looks up each
// packet while the main thread changes it.
//
// There are two copies. One is looked at, the other one is written and then
// becomes the one that is looked at, by a version that moves. A reader that finds
// another version after its search has read what may have been overwritten, and
// searches again.
import { type AddressRange, NO_MUX } from "./ranges.ts";

/** Of one family. */
export const MAX_PREFIXES = 0x10000;

const MAX_RANGES = 2 * MAX_PREFIXES + 1;
const IPV4_HEADER_BYTES = 20;
const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const IPV6_HEADER_BYTES = 40;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;
const IPV6_WORDS = 4;

// Places in the memory, in words. Each copy begins with its two numbers of
// ranges, and whether any of them leads somewhere; starts and muxes follow, a
// mux as its value and one, 0 for none.
const VERSION = 0;
const COPIES = 16;
const IPV4_COUNT = 0;
const IPV6_COUNT = 1;
const HAS_ROUTES = 2;
const IPV4_STARTS = 16;
const IPV4_MUXES = IPV4_STARTS + MAX_RANGES;
const IPV6_STARTS = IPV4_MUXES + MAX_RANGES;
const IPV6_MUXES = IPV6_STARTS + MAX_RANGES * IPV6_WORDS;
const COPY_WORDS = IPV6_MUXES + MAX_RANGES;

/** Longest prefix match from IP address to mux (SATP section 8). */
export class RouteTable {
  readonly #shared: SharedArrayBuffer;
  readonly #words: Uint32Array;

  /** Pages that no route needs cost nothing. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer((COPIES + 2 * COPY_WORDS) * 4);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared;
    this.#words = new Uint32Array(shared);
  }

  get shared(): SharedArrayBuffer {
    return this.#shared;
  }

  /** For one thread only. */
  publish(
    ipv4: readonly AddressRange[],
    ipv6: readonly AddressRange[],
  ): void {
    if (Math.max(ipv4.length, ipv6.length) > MAX_RANGES) {
      throw new RangeError(
        `Cannot publish ${ipv4.length} and ${ipv6.length} ranges: there is room for ${MAX_RANGES}`,
      );
    }
    const words = this.#words;
    const version = (Atomics.load(words, VERSION) + 1) >>> 0;
    const copy = copyOf(version);
    words[copy + IPV4_COUNT] = ipv4.length;
    words[copy + IPV6_COUNT] = ipv6.length;
    words[copy + HAS_ROUTES] = [ipv4, ipv6].some(leadsSomewhere) ? 1 : 0;
    ipv4.forEach(({ start, mux }, i) => {
      words[copy + IPV4_STARTS + i] = Number(start);
      words[copy + IPV4_MUXES + i] = mux + 1;
    });
    ipv6.forEach(({ start, mux }, i) => {
      const at = copy + IPV6_STARTS + i * IPV6_WORDS;
      for (let k = 0; k < IPV6_WORDS; k++) {
        const shift = BigInt(32 * (IPV6_WORDS - 1 - k));
        words[at + k] = Number(start >> shift & 0xffffffffn);
      }
      words[copy + IPV6_MUXES + i] = mux + 1;
    });
    Atomics.store(words, VERSION, version);
  }

  /** Whether nothing is routed anywhere. */
  get isEmpty(): boolean {
    const copy = copyOf(Atomics.load(this.#words, VERSION));
    return this.#words[copy + HAS_ROUTES] !== 1;
  }

  /** As in the original, one too short for its header is bound for 0.0.0.0. */
  lookup(memory: Uint8Array, at: number, size: number): number {
    const nibble = (memory[at] ?? 0) >>> 4;
    if (nibble === 4 && size >= IPV4_HEADER_BYTES) {
      return this.lookupIpv4(memory, at + IPV4_DESTINATION);
    }
    if (nibble === 6 && size >= IPV6_HEADER_BYTES) {
      return this.lookupIpv6(memory, at + IPV6_DESTINATION);
    }
    return nibble === 4 || nibble === 6 ? this.#lookupWord(0) : NO_MUX;
  }

  /** Where answers to the packet go; none to one without a whole header. */
  lookupSource(memory: Uint8Array, at: number, size: number): number {
    const nibble = (memory[at] ?? 0) >>> 4;
    if (nibble === 4 && size >= IPV4_HEADER_BYTES) {
      return this.lookupIpv4(memory, at + IPV4_SOURCE);
    }
    if (nibble === 6 && size >= IPV6_HEADER_BYTES) {
      return this.lookupIpv6(memory, at + IPV6_SOURCE);
    }
    return NO_MUX;
  }

  lookupIpv4(memory: Uint8Array, at: number): number {
    return this.#lookupWord(readWord(memory, at));
  }

  lookupIpv6(memory: Uint8Array, at: number): number {
    const a = readWord(memory, at);
    const b = readWord(memory, at + 4);
    const c = readWord(memory, at + 8);
    const d = readWord(memory, at + 12);
    for (;;) {
      const version = Atomics.load(this.#words, VERSION);
      const mux = this.#findIpv6(copyOf(version), a, b, c, d);
      if (Atomics.load(this.#words, VERSION) === version) return mux;
    }
  }

  #lookupWord(address: number): number {
    for (;;) {
      const version = Atomics.load(this.#words, VERSION);
      const mux = this.#findIpv4(copyOf(version), address);
      if (Atomics.load(this.#words, VERSION) === version) return mux;
    }
  }

  #findIpv4(copy: number, address: number): number {
    const words = this.#words;
    const starts = copy + IPV4_STARTS;
    let low = 0;
    let high = words[copy + IPV4_COUNT] ?? 0;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((words[starts + middle] ?? 0) <= address) low = middle;
      else high = middle;
    }
    return (words[copy + IPV4_MUXES + low] ?? 0) - 1;
  }

  #findIpv6(copy: number, a: number, b: number, c: number, d: number): number {
    const words = this.#words;
    const starts = copy + IPV6_STARTS;
    let low = 0;
    let high = words[copy + IPV6_COUNT] ?? 0;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const at = starts + middle * IPV6_WORDS;
      const w = words[at] ?? 0;
      const x = words[at + 1] ?? 0;
      const y = words[at + 2] ?? 0;
      const isAbove = w !== a
        ? w > a
        : x !== b
        ? x > b
        : y !== c
        ? y > c
        : (words[at + 3] ?? 0) > d;
      if (isAbove) high = middle;
      else low = middle;
    }
    return (words[copy + IPV6_MUXES + low] ?? 0) - 1;
  }
}

function leadsSomewhere(ranges: readonly AddressRange[]): boolean {
  return ranges.some(({ mux }) => mux !== NO_MUX);
}

function copyOf(version: number): number {
  return COPIES + (version & 1) * COPY_WORDS;
}

// The callers' packets hold the address; `?? 0` only tells the compiler so.
function readWord(memory: Uint8Array, at: number): number {
  return (
    (memory[at] ?? 0) << 24 | (memory[at + 1] ?? 0) << 16 |
    (memory[at + 2] ?? 0) << 8 | (memory[at + 3] ?? 0)
  ) >>> 0;
}
