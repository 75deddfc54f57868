// Routing table in memory that the threads share: the data plane looks up each
// packet while the main thread changes it.
//
// Ranges lie in pages, and an index says which page begins where. What a change
// touches is written to pages that nobody looks at, and named by a second index,
// which then becomes the one that is looked at, by a version that moves. So a
// reader never waits. One that finds another version after its search may have
// read what has been overwritten, and searches again.
import {
  type AddressRanges,
  NO_MUX,
  PAGE_RANGES,
  type RangePage,
} from "./ranges.ts";

/** Of one family. */
export const MAX_PREFIXES = 0x20000;

/** Two neighbours have more than half a page, but for the last one. */
const MAX_PAGES = 2 * Math.ceil((2 * MAX_PREFIXES + 1) / (PAGE_RANGES / 2)) + 1;
/** A change may touch all of them. */
const SLOTS = 2 * MAX_PAGES;

const IPV4_HEADER_BYTES = 20;
const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const IPV6_HEADER_BYTES = 40;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;
const IPV6_WORDS = 4;

// Places in an index, and the parts of its words.
const PAGES = 0;
const FIRSTS = 1;
const COUNT_BITS = 9;
const COUNT_MASK = 2 ** COUNT_BITS - 1;

// Places in the memory, in words. Behind the version stand two copies of what
// leads to the pages: whether anything is routed, and for each family an index.
// An index has the number of pages, the first address of each, and a word each
// with slot and number of ranges. The slots follow, of both families: addresses,
// and then muxes, a mux as its value and one, 0 for none.
const VERSION = 0;
const COPIES = 16;
const HAS_ROUTES = 0;
const IPV4_INDEX = 16;
const IPV6_INDEX = IPV4_INDEX + indexWords(1);
const COPY_WORDS = IPV6_INDEX + indexWords(IPV6_WORDS);
const IPV4_SLOTS = COPIES + 2 * COPY_WORDS;
const IPV6_SLOTS = IPV4_SLOTS + SLOTS * slotWords(1);
const TABLE_WORDS = IPV6_SLOTS + SLOTS * slotWords(IPV6_WORDS);

function indexWords(words: number): number {
  return FIRSTS + MAX_PAGES * (words + 1);
}

function slotWords(words: number): number {
  return PAGE_RANGES * (words + 1);
}

/** Longest prefix match from IP address to mux (SATP section 8). */
export class RouteTable {
  readonly #shared: SharedArrayBuffer;
  readonly #words: Uint32Array;
  /** That is looked up: as arguments, words of 32 bits would be objects. */
  readonly #address = new Uint32Array(IPV6_WORDS);
  /** Of the thread that publishes. */
  readonly #ipv4 = new Slots(IPV4_SLOTS, 1);
  readonly #ipv6 = new Slots(IPV6_SLOTS, IPV6_WORDS);

  /** Pages that no route needs cost nothing. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(TABLE_WORDS * 4);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared;
    this.#words = new Uint32Array(shared);
  }

  get shared(): SharedArrayBuffer {
    return this.#shared;
  }

  /**
   * For one table of one thread only.
   * @returns How many pages were written: those that have changed since
   */
  publish(ipv4: AddressRanges, ipv6: AddressRanges): number {
    const words = this.#words;
    const version = (Atomics.load(words, VERSION) + 1) >>> 0;
    const copy = copyOf(version);
    const leads = ipv4.leadsSomewhere || ipv6.leadsSomewhere;
    words[copy + HAS_ROUTES] = leads ? 1 : 0;
    const written = this.#ipv4.write(words, copy + IPV4_INDEX, ipv4) +
      this.#ipv6.write(words, copy + IPV6_INDEX, ipv6);
    Atomics.store(words, VERSION, version);
    return written;
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
    const address = this.#address;
    for (let k = 0; k < IPV6_WORDS; k++) {
      address[k] = readWord(memory, at + 4 * k);
    }
    for (;;) {
      const version = Atomics.load(this.#words, VERSION);
      const mux = this.#findIpv6(copyOf(version));
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
    const firsts = copy + IPV4_INDEX + FIRSTS;
    let low = 0;
    let high = words[copy + IPV4_INDEX + PAGES] ?? 0;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((words[firsts + middle] ?? 0) <= address) low = middle;
      else high = middle;
    }
    const entry = words[firsts + MAX_PAGES + low] ?? 0;
    const slot = IPV4_SLOTS + (entry >>> COUNT_BITS) * slotWords(1);
    low = 0;
    high = entry & COUNT_MASK;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((words[slot + middle] ?? 0) <= address) low = middle;
      else high = middle;
    }
    return (words[slot + PAGE_RANGES + low] ?? 0) - 1;
  }

  #findIpv6(copy: number): number {
    const words = this.#words;
    const index = copy + IPV6_INDEX;
    const firsts = index + FIRSTS;
    const page = this.#lastIpv6(firsts, words[index + PAGES] ?? 0);
    const entry = words[firsts + MAX_PAGES * IPV6_WORDS + page] ?? 0;
    const slot = IPV6_SLOTS + (entry >>> COUNT_BITS) * slotWords(IPV6_WORDS);
    const range = this.#lastIpv6(slot, entry & COUNT_MASK);
    return (words[slot + PAGE_RANGES * IPV6_WORDS + range] ?? 0) - 1;
  }

  /** The last of some addresses in order that is not above this one, or 0. */
  #lastIpv6(starts: number, count: number): number {
    const words = this.#words;
    const address = this.#address;
    const a = address[0] ?? 0;
    const b = address[1] ?? 0;
    const c = address[2] ?? 0;
    const d = address[3] ?? 0;
    let low = 0;
    let high = count;
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
    return low;
  }
}

/** A page as it was last written. */
interface Written {
  readonly slot: number;
  readonly revision: number;
}

/** Where the pages of a family are, for the thread that publishes. */
class Slots {
  readonly #at: number;
  readonly #words: number;
  /** Those that the index names which is looked at. */
  #written = new Map<RangePage, Written>();
  readonly #free: number[] = [];
  #next = 0;

  constructor(at: number, words: number) {
    this.#at = at;
    this.#words = words;
  }

  /** @returns How many pages were written */
  write(memory: Uint32Array, index: number, ranges: AddressRanges): number {
    const { pages } = ranges;
    if (pages.length > MAX_PAGES) {
      throw new RangeError(
        `Cannot publish ${pages.length} pages: there is room for ${MAX_PAGES}`,
      );
    }
    const before = this.#written;
    const after = new Map<RangePage, Written>();
    const free: number[] = [];
    let count = 0;
    for (const [k, page] of pages.entries()) {
      const known = before.get(page);
      before.delete(page);
      const isSame = known?.revision === page.revision;
      const written = isSame ? known : this.#copy(memory, page);
      if (!isSame) count++;
      if (!isSame && known !== undefined) free.push(known.slot);
      after.set(page, written);
      this.#name(memory, index, k, page, written.slot);
    }
    memory[index + PAGES] = pages.length;
    this.#written = after;
    // Whoever looks at the index of before may be reading them: they are written
    // again for the next one at the earliest.
    for (const { slot } of before.values()) free.push(slot);
    for (const slot of free) this.#free.push(slot);
    return count;
  }

  #copy(memory: Uint32Array, page: RangePage): Written {
    const slot = this.#free.pop() ?? this.#next++;
    const words = this.#words;
    const { starts, leads, count, revision } = page;
    const at = this.#at + slot * slotWords(words);
    for (let k = 0; k < count * words; k++) memory[at + k] = starts[k] ?? 0;
    const muxes = at + PAGE_RANGES * words;
    for (let k = 0; k < count; k++) memory[muxes + k] = leads[k] ?? 0;
    return { slot, revision };
  }

  #name(
    memory: Uint32Array,
    index: number,
    k: number,
    { starts, count }: RangePage,
    slot: number,
  ): void {
    const words = this.#words;
    const firsts = index + FIRSTS;
    for (let word = 0; word < words; word++) {
      memory[firsts + k * words + word] = starts[word] ?? 0;
    }
    memory[firsts + MAX_PAGES * words + k] = slot << COUNT_BITS | count;
  }
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
