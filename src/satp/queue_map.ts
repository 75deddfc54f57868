// Values by key, and which of them came first. To look for that one in a map
// each time would be to pass the holes of all that were there before it.

export class QueueMap<K, V> {
  readonly #values = new Map<K, V>();
  /** It goes on where it was, past those that are gone. */
  #oldest: Iterator<K> | undefined;

  get size(): number {
    return this.#values.size;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  /** A key that is there keeps its turn. */
  set(key: K, value: V): void {
    this.#values.set(key, value);
  }

  delete(key: K): boolean {
    return this.#values.delete(key);
  }

  entries(): Iterable<[K, V]> {
    return this.#values.entries();
  }

  /** @returns What was taken out, or undefined if there was nothing */
  takeOldest(): { readonly key: K; readonly value: V } | undefined {
    while (this.#values.size > 0) {
      this.#oldest ??= this.#values.keys();
      const { done, value: key } = this.#oldest.next();
      if (done) {
        this.#oldest = undefined;
        continue;
      }
      const value = this.#values.get(key);
      this.#values.delete(key);
      if (value !== undefined) return { key, value };
    }
    return undefined;
  }
}
