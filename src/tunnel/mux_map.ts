// Map by mux, in pages. An array would have a shape that depends on which muxes
// there are, and the runtime compiles the hot paths for one shape.

const PAGE_BITS = 8;
const PAGE = 1 << PAGE_BITS;

type Page<T> = (T | undefined)[];

export class MuxMap<T> {
  readonly #empty: Page<T> = newPage();
  readonly #pages: Page<T>[] = new Array(PAGE).fill(this.#empty);

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
    for (const page of this.#pages) {
      if (page === this.#empty) continue;
      for (const value of page) if (value !== undefined) look(value);
    }
  }
}

function newPage<T>(): Page<T> {
  return new Array(PAGE).fill(undefined);
}
