// A list that stays sorted while single ones of many come and go.

/** Where one of so many has changed, all are sorted anew. */
const FEW = 8;

export class Sorted<T extends object> {
  readonly #all: () => Iterable<T>;
  readonly #compare: (a: T, b: T) => number;
  /** undefined until somebody asks, which most never do, and after much change. */
  #sorted: readonly T[] | undefined;
  /** What has changed since, of which nothing is noted before. */
  readonly #come = new Set<T>();
  readonly #gone = new Set<T>();

  /**
   * @param all In any order, for the first time
   * @param compare 0 for no two of them
   */
  constructor(all: () => Iterable<T>, compare: (a: T, b: T) => number) {
    this.#all = all;
    this.#compare = compare;
  }

  add(one: T): void {
    if (this.#sorted === undefined) return;
    if (!this.#gone.delete(one)) this.#come.add(one);
    this.#forgetMany(this.#sorted);
  }

  delete(one: T): void {
    if (this.#sorted === undefined) return;
    if (!this.#come.delete(one)) this.#gone.add(one);
    this.#forgetMany(this.#sorted);
  }

  list(): readonly T[] {
    if (this.#sorted === undefined) {
      this.#sorted = [...this.#all()].sort(this.#compare);
    } else if (this.#come.size > 0 || this.#gone.size > 0) {
      this.#sorted = this.#merged(this.#sorted);
      this.#forget();
    }
    return this.#sorted;
  }

  #forgetMany({ length }: readonly T[]): void {
    if ((this.#come.size + this.#gone.size) * FEW <= length) return;
    this.#sorted = undefined;
    this.#forget();
  }

  #forget(): void {
    this.#come.clear();
    this.#gone.clear();
  }

  /** Compares what has changed, and copies the rest. */
  #merged(sorted: readonly T[]): T[] {
    const come = [...this.#come].sort(this.#compare);
    const gone = Uint32Array.from(this.#gone, (one) => this.#place(sorted, one))
      .sort();
    const merged: T[] = [];
    let next = 0;
    let passed = 0;
    const copyUntil = (end: number) => {
      for (; next < end; next++) {
        const one = sorted[next];
        if (next === gone[passed]) passed++;
        else if (one !== undefined) merged.push(one);
      }
    };
    for (const one of come) {
      copyUntil(this.#place(sorted, one));
      merged.push(one);
    }
    copyUntil(sorted.length);
    return merged;
  }

  /** How many of them are before this one. */
  #place(sorted: readonly T[], one: T): number {
    let low = 0;
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >> 1;
      const other = sorted[middle];
      if (other !== undefined && this.#compare(other, one) < 0) {
        low = middle + 1;
      } else high = middle;
    }
    return low;
  }
}
