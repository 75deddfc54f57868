// Prefixes, which may lie inside one another, as ranges that do not, in pages:
// finding the longest prefix of an address is a search in a sorted list, and a
// prefix that comes or goes moves nothing beyond the pages that it lies in.

export const NO_MUX = -1;

/** Ranges of a full page. */
export const PAGE_RANGES = 256;

/** Two neighbours that have no more than this together become one. */
const JOINED_RANGES = PAGE_RANGES / 2;

/** Of a range that no prefix covers; that of others is their length and one. */
const UNCOVERED = 0;

/** What a range belongs to. */
interface Owner {
  /** Length of the prefix and one, or 0 for none. */
  readonly depth: number;
  /** The mux and one, or 0 for none. */
  readonly lead: number;
}

const NOBODY: Owner = { depth: UNCOVERED, lead: 0 };

/** Ranges that follow one another, each up to the start of the next. */
export class RangePage {
  /** Addresses, {@link AddressRanges.words} words each. */
  readonly starts: Uint32Array;
  /** Muxes and one, 0 for none. */
  readonly leads = new Uint32Array(PAGE_RANGES);
  readonly depths = new Uint8Array(PAGE_RANGES);
  count = 0;
  /** Moves with every change. */
  revision = 0;

  constructor(words: number) {
    this.starts = new Uint32Array(PAGE_RANGES * words);
  }
}

/** Where a range is. */
interface Place {
  page: number;
  at: number;
}

/** All addresses of a family. */
export class AddressRanges {
  /** Words of 32 bits of an address. */
  readonly words: number;
  readonly #pages: RangePage[];
  readonly #start: Uint32Array;
  readonly #end: Uint32Array;
  #size = 1;
  #led = 0;

  /** @param words 1 for IPv4, 4 for IPv6 */
  constructor(words: number) {
    this.words = words;
    const page = new RangePage(words);
    page.count = 1;
    this.#pages = [page];
    this.#start = new Uint32Array(words);
    this.#end = new Uint32Array(words);
  }

  /** By address; never empty, and the first one begins at 0. */
  get pages(): readonly RangePage[] {
    return this.#pages;
  }

  /** How many ranges there are: at most twice as many as prefixes, and one. */
  get size(): number {
    return this.#size;
  }

  /** Whether any of them leads somewhere. */
  get leadsSomewhere(): boolean {
    return this.#led > 0;
  }

  /**
   * Leads the addresses of a prefix to a mux, but for those of longer ones in it.
   * @param network Bits behind the length are ignored
   */
  put(network: Uint8Array, length: number, mux: number): void {
    this.#paint(network, length, { depth: length + 1, lead: mux + 1 });
  }

  /**
   * Leads them to where the prefix around it leads.
   * @param outer The longest one that it lies in, if there is one
   */
  remove(
    network: Uint8Array,
    length: number,
    outer?: { readonly length: number; readonly mux: number },
  ): void {
    this.#paint(
      network,
      length,
      outer === undefined
        ? NOBODY
        : { depth: outer.length + 1, lead: outer.mux + 1 },
    );
  }

  #paint(network: Uint8Array, length: number, owner: Owner): void {
    const isLast = this.#bound(network, length);
    const end = isLast ? undefined : this.#end;
    const place = this.#split(this.#start);
    if (end !== undefined) this.#split(end);
    const first = this.#find(this.#start, place);
    for (const at = { ...first }; this.#isBefore(at, end); this.#next(at)) {
      this.#repaint(at, length + 1, owner);
    }
    this.#join(first, end);
  }

  /**
   * Sets where a prefix begins and ends.
   * @returns Whether it ends where the addresses do
   */
  #bound(network: Uint8Array, length: number): boolean {
    const { words } = this;
    let carry = true;
    for (let k = words - 1; k >= 0; k--) {
      const free = Math.min(Math.max(32 * (k + 1) - length, 0), 32);
      // Shifts by 32 would shift by none.
      const host = free === 32 ? 0xffffffff : 2 ** free - 1;
      const word = readWord(network, 4 * k);
      const start = (word & ~host) >>> 0;
      this.#start[k] = start;
      const last = (start | host) >>> 0;
      const end: number = carry ? last + 1 : last;
      // What follows the last address of the prefix.
      this.#end[k] = end;
      carry = carry && end === 2 ** 32;
    }
    return carry;
  }

  /** Has a range begin there. */
  #split(address: Uint32Array): Place {
    const place = this.#find(address);
    const page = this.#page(place.page);
    if (this.#compare(page, place.at, address) === 0) return place;
    const owner = {
      depth: page.depths[place.at] ?? 0,
      lead: page.leads[place.at] ?? 0,
    };
    place.at++;
    this.#insert(place, address, owner);
    return place;
  }

  #insert(place: Place, address: Uint32Array, owner: Owner): void {
    if (this.#page(place.page).count === PAGE_RANGES) this.#divide(place);
    const { words } = this;
    const { at } = place;
    const page = this.#page(place.page);
    const { starts, leads, depths, count } = page;
    starts.copyWithin((at + 1) * words, at * words, count * words);
    leads.copyWithin(at + 1, at, count);
    depths.copyWithin(at + 1, at, count);
    starts.set(address, at * words);
    leads[at] = owner.lead;
    depths[at] = owner.depth;
    page.count++;
    page.revision++;
    this.#size++;
    if (owner.lead !== 0) this.#led++;
  }

  #divide(place: Place): void {
    const half = PAGE_RANGES / 2;
    const { words } = this;
    const page = this.#page(place.page);
    const right = new RangePage(words);
    right.starts.set(page.starts.subarray(half * words));
    right.leads.set(page.leads.subarray(half));
    right.depths.set(page.depths.subarray(half));
    right.count = half;
    page.count = half;
    page.revision++;
    this.#pages.splice(place.page + 1, 0, right);
    if (place.at <= half) return;
    place.page++;
    place.at -= half;
  }

  /** Unless it belongs to a longer prefix. */
  #repaint({ page: k, at }: Place, depth: number, owner: Owner): void {
    const page = this.#page(k);
    if ((page.depths[at] ?? 0) > depth) return;
    const before = page.leads[at] ?? 0;
    page.leads[at] = owner.lead;
    page.depths[at] = owner.depth;
    page.revision++;
    this.#led += Number(owner.lead !== 0) - Number(before !== 0);
  }

  /** Makes one of neighbours that are alike, up to the one that begins at `end`. */
  #join(first: Place, end: Uint32Array | undefined): void {
    const place = { ...first };
    let isAtEnd = false;
    while (place.page < this.#pages.length && !isAtEnd) {
      isAtEnd = !this.#isBefore(place, end);
      if (this.#isLikeBefore(place)) this.#delete(place);
      else this.#next(place);
    }
    this.#joinPages(first.page);
    this.#joinPages(place.page);
  }

  #isLikeBefore({ page: k, at }: Place): boolean {
    if (k === 0 && at === 0) return false;
    const page = this.#page(k);
    const before = at === 0 ? this.#page(k - 1) : page;
    const previous = at === 0 ? before.count - 1 : at - 1;
    return before.leads[previous] === page.leads[at] &&
      before.depths[previous] === page.depths[at];
  }

  #delete(place: Place): void {
    const { words } = this;
    const { page: k, at } = place;
    const page = this.#page(k);
    const { starts, leads, depths, count } = page;
    if (leads[at] !== 0) this.#led--;
    starts.copyWithin(at * words, (at + 1) * words, count * words);
    leads.copyWithin(at, at + 1, count);
    depths.copyWithin(at, at + 1, count);
    page.count--;
    page.revision++;
    this.#size--;
    if (page.count === 0) {
      this.#pages.splice(k, 1);
      this.#goTo(place, k);
    } else if (at === page.count) this.#goTo(place, k + 1);
  }

  /** The page, and the one behind it, or before it, if both have few. */
  #joinPages(k: number): void {
    for (const left of [k, k - 1]) {
      const page = this.#pages[left];
      const right = this.#pages[left + 1];
      if (page === undefined || right === undefined) continue;
      if (page.count + right.count > JOINED_RANGES) continue;
      const { count } = page;
      page.starts.set(
        right.starts.subarray(0, right.count * this.words),
        count * this.words,
      );
      page.leads.set(right.leads.subarray(0, right.count), count);
      page.depths.set(right.depths.subarray(0, right.count), count);
      page.count += right.count;
      page.revision++;
      this.#pages.splice(left + 1, 1);
    }
  }

  #next(place: Place): void {
    place.at++;
    if (place.at === this.#pages[place.page]?.count) {
      this.#goTo(place, place.page + 1);
    }
  }

  #goTo(place: Place, page: number): void {
    place.page = page;
    place.at = 0;
  }

  #isBefore(place: Place, end: Uint32Array | undefined): boolean {
    const page = this.#pages[place.page];
    if (page === undefined) return false;
    return end === undefined || this.#compare(page, place.at, end) < 0;
  }

  /** The range that an address is in. */
  #find(address: Uint32Array, from?: Place): Place {
    // A page that was divided since has moved it to the next one at most.
    const near = from && this.#pages[from.page];
    if (
      from !== undefined && near !== undefined && from.at < near.count &&
      this.#compare(near, from.at, address) === 0
    ) return from;
    let low = 0;
    let high = this.#pages.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#page(middle), 0, address) <= 0) low = middle;
      else high = middle;
    }
    return { page: low, at: this.#findIn(this.#page(low), address) };
  }

  #findIn(page: RangePage, address: Uint32Array): number {
    let low = 0;
    let high = page.count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#compare(page, middle, address) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }

  #compare({ starts }: RangePage, at: number, address: Uint32Array): number {
    const { words } = this;
    for (let k = 0; k < words; k++) {
      const a = starts[at * words + k] ?? 0;
      const b = address[k] ?? 0;
      if (a !== b) return a < b ? -1 : 1;
    }
    return 0;
  }

  #page(k: number): RangePage {
    const page = this.#pages[k];
    if (page === undefined) throw new RangeError(`There is no page ${k}`);
    return page;
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) << 24 | (bytes[at + 1] ?? 0) << 16 |
    (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0)
  ) >>> 0;
}
