// Things by how much of something shared they have, so that where it is short
// the one that has most gives. By powers of two: who takes and gives one at a
// time changes its place a few times only.

export class ByAmount<T> {
  readonly #classes = Array.from({ length: 32 }, () => new Set<T>());

  move(thing: T, before: number, after: number): void {
    const [from, to] = [classOf(before), classOf(after)];
    if (from === to) return;
    this.#classes[from]?.delete(thing);
    this.#classes[to]?.add(thing);
  }

  /** Nothing has twice as much. */
  largest(): T | undefined {
    for (let k = this.#classes.length - 1; k >= 0; k--) {
      for (const first of this.#classes[k] ?? []) return first;
    }
    return undefined;
  }
}

/** -1 for nothing. */
function classOf(amount: number): number {
  return 31 - Math.clz32(amount);
}
