// Source of reports that is asked as often as anybody likes, and works now and
// then.
import type { Delay } from "../net/delay.ts";
import type { Health, HealthReport, ToldReport } from "./report.ts";
import type { StatusSource } from "./site.ts";

/** How long an answer serves others, too. */
const SPARED_MS = 200;

export class SparedSource implements StatusSource {
  readonly #source: StatusSource;
  readonly #reports: Spared<number, ToldReport>;
  readonly #health: Spared<undefined, Health>;

  constructor(source: StatusSource, delay: Delay) {
    this.#source = source;
    this.#reports = new Spared((limit) => source.report(limit), delay);
    this.#health = new Spared(() => source.health(), delay);
  }

  report(limit: number): Promise<ToldReport> {
    return this.#reports.get(limit);
  }

  fitness(): HealthReport {
    return this.#source.fitness();
  }

  health(): Promise<Health> {
    return this.#health.get(undefined);
  }
}

class Spared<K, V> {
  readonly #kept = new Map<K, Promise<V>>();
  readonly #make: (key: K) => Promise<V>;
  readonly #delay: Delay;

  constructor(make: (key: K) => Promise<V>, delay: Delay) {
    this.#make = make;
    this.#delay = delay;
  }

  get(key: K): Promise<V> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const made = this.#make(key);
    this.#kept.set(key, made);
    const drop = () => void this.#kept.delete(key);
    // From when it is there: one of thousands of connections takes a while.
    const rest = () => void this.#delay(SPARED_MS).then(drop, drop);
    void made.then(rest, rest);
    return made;
  }
}
