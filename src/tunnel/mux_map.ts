// Map by mux, in pages. An array would have a shape that depends on which muxes
// there are, and the runtime compiles the hot paths for one shape.

const PAGE_BITS = 8;
const PAGE = 1 << PAGE_BITS;

export const MUX_PAGES = 0x10000 >>> PAGE_BITS;

type Page<T> = (T | undefined)[];

export class MuxMap<T> {
  readonly #empty: Page<T> = newPage();
  readonly #pages: Page<T>[] = new Array(MUX_PAGES)
    .fill(this.#empty);

  get(mux: number): T | undefined {
    return this.#pages[mux >>> PAGE_BITS]?.[mux & (PAGE - 1)];
  }

  set(mux: number, value: T | undefined): void {
    const index = mux >>> PAGE_BITS;
    let page = this.#pages[index] ?? this.#empty;
    if (page === this.#empty) this.#pages[index] = page = newPage();
    page[mux & (PAGE - 1)] = value;
  }

  forEach(look: (value: T) => void): void {
    for (let page = 0; page < MUX_PAGES; page++) this.forEachOf(page, look);
  }

  /**
   * For work that is done in parts.
   * @param index Below {@linkcode MUX_PAGES}
   * @returns How many there were
   */
  forEachOf(index: number, look: (value: T) => void): number {
    const page = this.#pages[index];
    if (page === undefined || page === this.#empty) return 0;
    let count = 0;
    for (const value of page) {
      if (value === undefined) continue;
      look(value);
      count++;
    }
    return count;
  }
}

function newPage<T>(): Page<T> {
  return new Array(PAGE).fill(undefined);
}
