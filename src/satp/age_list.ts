// Things in the order in which they were last used. A use moves links and
// allocates nothing.

/** The place of a thing in one list. */
export class AgePlace<T> {
  readonly of: T;
  older: AgePlace<T> | undefined;
  newer: AgePlace<T> | undefined;

  constructor(of: T) {
    this.of = of;
  }
}

export class AgeList<T> {
  #oldest: AgePlace<T> | undefined;
  #newest: AgePlace<T> | undefined;

  get oldest(): T | undefined {
    return this.#oldest?.of;
  }

  /** Of a thing that is in no list with this place, as the one used last. */
  add(place: AgePlace<T>): void {
    place.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = place;
    else this.#newest.newer = place;
    this.#newest = place;
  }

  /** @returns false if it was the one used last already */
  renew(place: AgePlace<T>): boolean {
    if (place === this.#newest) return false;
    this.remove(place);
    this.add(place);
    return true;
  }

  remove(place: AgePlace<T>): void {
    const { older, newer } = place;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    place.older = place.newer = undefined;
  }
}
