// A signal that is aborted when one of several is.

/**
 * As `AbortSignal.any()`, whose signal Deno 2.7 takes back as memory while
 * somebody waits for it, who then waits without end. Once it is disposed of, the
 * others know it no more.
 */
export class EitherSignal implements Disposable {
  readonly #own = new AbortController();
  readonly #all: readonly AbortSignal[];
  readonly #abort = (): void => {
    const first = this.#all.find(({ aborted }) => aborted);
    this.#own.abort(first?.reason);
  };

  constructor(...all: readonly AbortSignal[]) {
    this.#all = all;
    for (const signal of all) signal.addEventListener("abort", this.#abort);
    if (all.some(({ aborted }) => aborted)) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#all) {
      signal.removeEventListener("abort", this.#abort);
    }
  }
}
