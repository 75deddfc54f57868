// Coverage of this thread's own code, as the engine counts it.
import { type Profiler, Session } from "node:inspector";

/** Which code counts: the product, not what feeds it. */
const PRODUCT = /\/(?:src|ffi)\//;

/**
 * Which bytes of each function were ever run. The engine counts from one
 * question to the next; it joins blocks that were run equally often, so that
 * its ranges are compared byte by byte. One for each thread: a second one would
 * count functions as a whole.
 */
export class Coverage {
  readonly #session = new Session();
  /** For each function, by script and place. */
  readonly #seen = new Map<string, Uint8Array>();
  /** Longer than any module. */
  readonly #run = new Uint8Array(1 << 20);
  #bytes = 0;

  /** @throws if this runtime does not count */
  static async start(): Promise<Coverage> {
    const coverage = new Coverage();
    await coverage.#post("Profiler.enable");
    const counting = { callCount: true, detailed: true };
    await coverage.#post("Profiler.startPreciseCoverage", counting);
    return coverage;
  }

  private constructor() {
    this.#session.connect();
  }

  /** Bytes of code that were run so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Whether code was run since the last question that never was before.
   *
   * @param remember Whether it is known from now on
   */
  async hasGrown(remember: boolean): Promise<boolean> {
    let grown = false;
    for (const { url, functions } of await this.#take()) {
      if (!PRODUCT.test(url)) continue;
      for (const { ranges } of functions) {
        if (this.#isNew(url, ranges, remember)) grown = true;
      }
    }
    return grown;
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Everything is new again. */
  async forget(): Promise<void> {
    await this.#take();
    this.#seen.clear();
    this.#bytes = 0;
  }

  #isNew(
    url: string,
    [whole, ...blocks]: readonly Profiler.CoverageRange[],
    remember: boolean,
  ): boolean {
    if (whole === undefined || whole.count === 0) return false;
    const { startOffset: start, endOffset: end } = whole;
    const key = `${url}:${start}`;
    const seen = this.#seen.get(key) ?? new Uint8Array(end - start);
    // Outer blocks come before those within them.
    const run = this.#run.fill(1, 0, seen.length);
    for (const { startOffset, endOffset, count } of blocks) {
      run.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
    }
    let grown = 0;
    for (let k = 0; k < seen.length; k++) {
      if (run[k] === 1 && seen[k] === 0) {
        grown++;
        if (remember) seen[k] = 1;
      }
    }
    if (remember) {
      this.#seen.set(key, seen);
      this.#bytes += grown;
    }
    return grown > 0;
  }

  async #take(): Promise<readonly Profiler.ScriptCoverage[]> {
    const taken = await this.#post("Profiler.takePreciseCoverage");
    return (taken as Profiler.TakePreciseCoverageReturnType).result;
  }

  #post(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error: unknown, result: unknown) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  }
}
