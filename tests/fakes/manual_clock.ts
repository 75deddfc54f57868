/**
 * Time that passes when a test says so.
 *
 * @module
 */

interface Alarm {
  readonly at: number;
  readonly signal: () => void;
}

/** A clock, and those who wait for it. */
export class ManualClock {
  #now = 0;
  readonly #alarms = new Set<Alarm>();

  /** Milliseconds since the clock was made. */
  readonly now = (): number => this.#now;

  /** Waits until so many milliseconds have passed, or rejects when aborted. */
  readonly delay = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const alarm = { at: this.#now + ms, signal: resolve };
      this.#alarms.add(alarm);
      signal?.addEventListener("abort", () => {
        this.#alarms.delete(alarm);
        reject(signal.reason);
      });
    });

  /** See `src/net/every.ts`. */
  readonly every = async (
    ms: number,
    work: () => void,
    stop: AbortSignal,
  ): Promise<void> => {
    while (!stop.aborted) {
      await this.delay(ms, stop).then(work, () => {});
    }
  };

  /** How long the others still wait, the shortest first. */
  get waiting(): number[] {
    return [...this.#alarms].map(({ at }) => at - this.#now)
      .sort((a, b) => a - b);
  }

  /** Lets time pass, and then everything happen that follows from it. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const alarm of this.#alarms) {
      if (alarm.at > this.#now) continue;
      this.#alarms.delete(alarm);
      alarm.signal();
    }
    await settle();
  }
}

/** Lets everything happen that does not wait for a time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await Promise.resolve();
}
