// Fitness of a member of a fleet: whether it may have traffic, judged by looks
// at it that come back, so that what flaps does not come back with each of them.

/** Whether the daemon may have traffic. */
export type HealthState = "starting" | "fit" | "draining" | "unfit";

export const HEALTH_STATES: readonly HealthState[] = [
  "starting",
  "fit",
  "draining",
  "unfit",
];

/** Why it should not have traffic now. */
export interface Fault {
  /** For people, such as `the device tun0 is down`. */
  readonly text: string;
  /** Whether the first look at it is enough. */
  readonly isCertain?: boolean;
}

export interface HealthSettings {
  /** Good looks in a row, before it is fit. */
  readonly rise: number;
  /** Bad looks in a row, before it is unfit. */
  readonly fall: number;
  /** Milliseconds for which all is well, before it comes back. */
  readonly hold: number;
}

/** What is known now. */
export interface Fitness {
  readonly state: HealthState;
  /** What keeps it from being fit, or soon will. */
  readonly reasons: readonly string[];
  /** When it got into this state, by the clock that was given. */
  readonly since: number;
}

export class HealthMachine {
  #settings: HealthSettings;
  readonly #now: () => number;
  readonly #interval: number;
  /** Without regard to whether it is drained. */
  #judged: Exclude<HealthState, "draining"> = "starting";
  #draining: string | undefined;
  #state: HealthState = "starting";
  #since: number;
  #faults: readonly Fault[] = [];
  /** Of the last bad look. */
  #lastFaults: readonly Fault[] = [];
  #good = 0;
  #bad = 0;
  /** Since when every look was good. */
  #wellSince: number | undefined;
  #lookedAt: number | undefined;

  /**
   * @param now Milliseconds of a clock that never goes back
   * @param interval Milliseconds between two looks
   */
  constructor(settings: HealthSettings, now: () => number, interval: number) {
    this.#settings = settings;
    this.#now = now;
    this.#interval = interval;
    this.#since = now();
  }

  /**
   * Who asks right after a time without looks, and before the next one, is told
   * what that one will find.
   */
  get fitness(): Fitness {
    const now = this.#now();
    const missed = this.#state === "fit" ? this.#missed(now) : [];
    if (missed.length > 0) {
      return { state: "unfit", reasons: textsOf(missed), since: now };
    }
    return { state: this.#state, reasons: this.#reasons(), since: this.#since };
  }

  set settings(settings: HealthSettings) {
    this.#settings = settings;
  }

  /**
   * Takes what a look has found. Those that were missed before it are bad ones:
   * who does not look, such as in a stopped process, is not fit.
   */
  look(found: readonly Fault[]): void {
    const now = this.#now();
    const faults = [...this.#missed(now), ...found];
    this.#lookedAt = now;
    this.#faults = faults;
    if (faults.length > 0) this.#lastFaults = faults;
    if (faults.length === 0) this.#countGood(now);
    else this.#countBad(faults.some(({ isCertain }) => isCertain));
    this.#settle(now);
  }

  /** @param reason Why, for people; the first one counts */
  drain(reason: string): void {
    this.#draining ??= reason;
    this.#settle(this.#now());
  }

  undrain(): void {
    this.#draining = undefined;
    this.#settle(this.#now());
  }

  #missed(now: number): readonly Fault[] {
    const since = now - (this.#lookedAt ?? now);
    const missed = Math.floor(since / this.#interval) - 1;
    if (missed < this.#settings.fall) return [];
    const text = `nothing was looked at for ${Math.floor(since / 1000)} s`;
    return [{ text, isCertain: true }];
  }

  #countBad(isCertain: boolean): void {
    this.#good = 0;
    this.#wellSince = undefined;
    this.#bad++;
    if (this.#judged !== "fit") return;
    if (isCertain || this.#bad >= this.#settings.fall) this.#judged = "unfit";
  }

  #countGood(now: number): void {
    this.#bad = 0;
    this.#good++;
    this.#wellSince ??= now;
    const isLong = this.#judged === "starting" ||
      now - this.#wellSince >= this.#settings.hold;
    if (isLong && this.#good >= this.#settings.rise) this.#judged = "fit";
  }

  #settle(now: number): void {
    const state = this.#draining === undefined ? this.#judged : "draining";
    if (state === this.#state) return;
    this.#state = state;
    this.#since = now;
  }

  #reasons(): readonly string[] {
    const faults = textsOf(this.#faults);
    if (this.#draining !== undefined) return [this.#draining, ...faults];
    if (faults.length > 0 || this.#judged === "fit") return faults;
    return [this.#waitText()];
  }

  #waitText(): string {
    const { rise, hold } = this.#settings;
    if (this.#lookedAt === undefined) return "nothing was looked at yet";
    const good = `all is well, ${Math.min(this.#good, rise)} of ${rise} times`;
    if (this.#judged === "starting") return good;
    const well = this.#lookedAt - (this.#wellSince ?? this.#lookedAt);
    const seconds = Math.floor(Math.min(well, hold) / 1000);
    const before = textsOf(this.#lastFaults).join("; ");
    return `${good} and for ${seconds} of ${hold / 1000} s, after: ${before}`;
  }
}

function textsOf(faults: readonly Fault[]): readonly string[] {
  return faults.map(({ text }) => text);
}
