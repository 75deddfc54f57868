// Order of calls that overlap: each takes effect when it is ready, but not after
// a later one of the same connection has.

export class CallOrder {
  #last = 0;
  /** The latest call of each mux that has taken effect. */
  readonly #done = new Map<number, number>();

  /** @returns The call's number */
  begin(): number {
    return ++this.#last;
  }

  /** Whether the call may take effect, which it does then. */
  take(mux: number, call: number): boolean {
    if (call < (this.#done.get(mux) ?? 0)) return false;
    this.#done.set(mux, call);
    return true;
  }
}
