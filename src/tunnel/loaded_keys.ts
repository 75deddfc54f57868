// Keys of a connection as the engine of one thread has them.
import type { SchedulePair } from "../satp/key_derivation.ts";
import type { ReplayWindow } from "../satp/replay_window.ts";
import type { HeldKeys } from "./key_sets.ts";

/** Keys that the engine has. */
export class LoadedKeys {
  /** See `KeySets`. */
  readonly name: number;
  readonly fingerprint: number;
  #rank: number;
  readonly schedules: SchedulePair;
  /** What was received under these keys, and no others. */
  readonly replay: ReplayWindow;
  /** When something new was last opened with them and it was noted, in ms. */
  openedAt = -Infinity;
  #pins = 0;
  #isRetired = false;

  constructor(
    { name, fingerprint, rank }: HeldKeys,
    schedules: SchedulePair,
    replay: ReplayWindow,
  ) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.#rank = rank;
    this.schedules = schedules;
    this.replay = replay;
  }

  /** See `HeldKeys`. */
  get rank(): number {
    return this.#rank;
  }

  /** Keys that come back: what they have opened was before the others. */
  moveTo(rank: number): void {
    if (rank !== this.#rank) this.openedAt = -Infinity;
    this.#rank = rank;
  }

  /** Whether the connection has them still. */
  get isInUse(): boolean {
    return !this.#isRetired;
  }

  /** Whether a batch may still receive something under them. */
  get isInWork(): boolean {
    return this.#pins > 0;
  }

  /** Keeps the keys until {@link unpin} is called as often. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    this.#closeIfUnused();
  }

  /** Forgets the keys as soon as no batch in work uses them. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (!this.#isRetired || this.#pins > 0) return;
    this.schedules.seal.master?.close();
  }
}

/** The keys that a batch was classified with: usable until it is done. */
export class PinnedKeys {
  readonly #keys: LoadedKeys[] = [];
  #count = 0;
  #last: LoadedKeys | undefined;

  add(keys: LoadedKeys): void {
    if (keys === this.#last) return;
    keys.pin();
    this.#last = keys;
    this.#keys[this.#count++] = keys;
  }

  release(): void {
    for (let k = 0; k < this.#count; k++) this.#keys[k]?.unpin();
    this.#count = 0;
    this.#last = undefined;
  }
}
