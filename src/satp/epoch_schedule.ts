// Epochs of a key chain at one end: which one seals, which ones open, and when
// older ones are erased (docs/key-chains.md, "Which epoch").
import { epochAt, MAX_AHEAD } from "./key_chain.ts";

/** How far from the own epoch a datagram which nothing opens is tried. */
export const HEALING_DISTANCE = 48;
/** In how many epochs at a time. */
export const HEALING_TRIALS = 48;
/** How long datagrams must have been refused for that, in ms. */
export const HEALING_PATIENCE_MS = 5000;
/** Between two of those datagrams. */
const HEALING_PAUSE_MS = 1000;

/** Besides the one that seals. */
const MAX_OTHERS = 2;
const MAX_GRACE_MS = 60_000;

export interface EpochClock {
  /** Milliseconds since 1970, by a clock that people set. */
  now(): number;
  /** Milliseconds of a monotonic clock. */
  elapsed(): number;
}

export interface EpochUse {
  readonly epoch: number;
  /** What seals opens as well. */
  readonly role: "seal" | "open";
}

/** In how far the peer is elsewhere in time. */
export interface ClockGap {
  /** At least; negative if the peer is behind. */
  readonly seconds: number;
  /** Whether it is the clock of this host that was set since all was well. */
  readonly isOwn: boolean;
}

/** Of the chain at the start. */
interface ScheduleStart {
  /** Seconds. */
  readonly interval: number;
  /** Of the file. */
  readonly epoch: number;
}

export class EpochSchedule {
  readonly #clock: EpochClock;
  readonly #interval: number;
  readonly #grace: number;
  /** Everything before is erased. */
  #oldest: number;
  #sealed: number;
  /** The newest that the own clock has ever been in. */
  #reached = -1;
  #confirmed: number | undefined;
  #confirmedAt = 0;
  /** The one that was confirmed before. */
  #previous: number | undefined;
  /** `now` less `elapsed` when a datagram last came in its time. */
  #offset: number | undefined;
  #gap: ClockGap | undefined;
  #refusedSince: number | undefined;
  #triedAt = -Infinity;
  #hasTriedNear = false;

  constructor({ interval, epoch }: ScheduleStart, clock: EpochClock) {
    this.#clock = clock;
    this.#interval = interval * 1000;
    this.#grace = Math.min(MAX_GRACE_MS, this.#interval / 4);
    this.#oldest = epoch;
    this.#sealed = epoch;
  }

  /**
   * The oldest epoch that is still of use: those before are to be erased, and
   * do not come back, whatever the clock says later.
   */
  oldest(): number {
    const confirmed = this.#confirmed;
    if (confirmed === undefined || confirmed <= this.#oldest) {
      return this.#oldest;
    }
    const since = this.#clock.elapsed() - this.#confirmedAt;
    const isOver = this.#clock.now() >= this.#startOf(confirmed) + this.#grace;
    // A clock that is behind would keep the old keys for as long as it is.
    if (since >= (isOver ? 1 : 2) * this.#grace) this.#oldest = confirmed;
    return this.#oldest;
  }

  /** The newest epoch in which the peer was heard. */
  get confirmed(): number | undefined {
    return this.#confirmed;
  }

  /** undefined where the peer is heard in time. */
  get gap(): ClockGap | undefined {
    return this.#gap;
  }

  /** Whether the clock is so far ahead of the chain that it cannot be right. */
  get isLost(): boolean {
    return this.#present() - this.#floor() > MAX_AHEAD;
  }

  /** What to seal with now, and then what else to open with. */
  wanted(): readonly EpochUse[] {
    const seal = this.#seal();
    const others = this.#others(seal).map((epoch): EpochUse => {
      return { epoch, role: "open" };
    });
    return [{ epoch: seal, role: "seal" }, ...others];
  }

  /** An authentic datagram of the peer, no replay, was opened in this epoch. */
  opened(epoch: number): void {
    this.#refusedSince = undefined;
    this.#judge(epoch);
    if (epoch <= (this.#confirmed ?? -1)) return;
    this.#previous = this.#confirmed;
    this.#confirmed = epoch;
    this.#confirmedAt = this.#clock.elapsed();
  }

  /** Datagrams have come since the last call, and nothing opened them. */
  refused(): void {
    this.#refusedSince ??= this.#clock.elapsed();
  }

  /** Whether all was refused for long. */
  get isSeeking(): boolean {
    const since = this.#refusedSince ?? Infinity;
    return this.#clock.elapsed() - since >= HEALING_PATIENCE_MS;
  }

  /**
   * Whether it is time to try one of those datagrams against other epochs:
   * once a second, if all were refused for long. What it is asked for counts
   * as tried.
   * @returns The nearest first, those further off every other time; none if it
   * is not yet time
   */
  trial(): readonly number[] {
    const elapsed = this.#clock.elapsed();
    if (!this.isSeeking) return [];
    if (elapsed - this.#triedAt < HEALING_PAUSE_MS) return [];
    this.#triedAt = elapsed;
    return this.#strangers();
  }

  /** Later than what was heard, around what is sealed with. */
  #strangers(): readonly number[] {
    const known = this.wanted().map(({ epoch }) => epoch);
    const heard = this.#confirmed ?? this.oldest() - 1;
    const seal = this.#seal();
    const from = Math.max(heard + 1, seal - HEALING_DISTANCE);
    const range = seal + HEALING_DISTANCE - from + 1;
    const all = Array.from({ length: range }, (_, k) => from + k)
      .filter((epoch) => !known.includes(epoch))
      .sort((a, b) => Math.abs(a - seal) - Math.abs(b - seal));
    const far = all.slice(HEALING_TRIALS);
    // Of two ends that have heard nothing for long, one is the later.
    const isFar = this.#hasTriedNear && far.length > 0;
    this.#hasTriedNear = !isFar;
    return isFar ? far : all.slice(0, HEALING_TRIALS);
  }

  #seal(): number {
    const floor = this.#floor();
    const present = this.isLost ? floor : this.#present();
    this.#reached = Math.max(this.#reached, present);
    const ahead = Math.max(floor, present);
    // No peer follows that far, so that nothing there was ever of use: a clock
    // that was once far ahead must not keep this end there.
    const isBeyond = this.#sealed - ahead > HEALING_DISTANCE;
    this.#sealed = isBeyond ? ahead : Math.max(this.#sealed, ahead);
    return this.#sealed;
  }

  #others(seal: number): number[] {
    const oldest = this.oldest();
    const [now, grace] = [this.#clock.now(), this.#grace];
    // Where the peer's clock, not this one, has brought us here, it will be
    // the first in the next epoch, too.
    const isLed = seal > this.#present();
    const isNext = isLed || now + grace >= this.#startOf(seal + 1);
    const isBefore = now - grace < this.#startOf(seal);
    const candidates = [
      this.#confirmed,
      isNext ? seal + 1 : undefined,
      isBefore ? seal - 1 : undefined,
      this.#previous,
    ].filter((epoch) => epoch !== undefined)
      .filter((epoch) => epoch !== seal && epoch >= oldest);
    return [...new Set(candidates)].slice(0, MAX_OTHERS);
  }

  /** The clock of who sealed this is in this epoch, or was. */
  #judge(epoch: number): void {
    const [now, grace] = [this.#clock.now(), this.#grace];
    const early = this.#startOf(epoch) - now;
    const late = now - this.#startOf(epoch + 1);
    if (early <= grace && late <= grace) {
      this.#gap = undefined;
      this.#offset = now - this.#clock.elapsed();
      return;
    }
    // The peer may have followed where this clock has been.
    if (early > grace && epoch <= this.#reached) return;
    this.#gap = {
      seconds: Math.round((early > grace ? early : -late) / 1000),
      isOwn: this.#isSet(now),
    };
  }

  #isSet(now: number): boolean {
    if (this.#offset === undefined) return now < this.#startOf(this.#oldest);
    const moved = now - this.#clock.elapsed() - this.#offset;
    return Math.abs(moved) > this.#grace;
  }

  #floor(): number {
    return Math.max(this.#confirmed ?? 0, this.#oldest);
  }

  #present(): number {
    return epochAt(this.#clock.now(), this.#interval);
  }

  #startOf(epoch: number): number {
    return epoch * this.#interval;
  }
}
