/**
 * The keys of a connection from one change to the next, with all that must not
 * outlive them or be mixed up with the keys after them.
 *
 * @module
 */
import type { ReplayWindow } from "../satp/replay_window.ts";
import type { SchedulePair } from "../satp/key_derivation.ts";

/** One epoch of a connection's keys, in one thread. */
export class KeyEpoch {
  /** To be named when sequence numbers are taken. */
  readonly epoch: number;
  readonly schedules: SchedulePair;
  /** What was received under these keys, and no others. */
  readonly replay: ReplayWindow;
  #pins = 0;
  #isRetired = false;

  constructor(epoch: number, schedules: SchedulePair, replay: ReplayWindow) {
    this.epoch = epoch;
    this.schedules = schedules;
    this.replay = replay;
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

/**
 * The key epochs that one batch was classified with. Keys may change at any
 * moment; what the batch holds stays usable until it is done.
 */
export class PinnedKeys {
  readonly #keys: KeyEpoch[] = [];
  #count = 0;
  #last: KeyEpoch | undefined;

  /** Pins the keys of one more datagram. */
  add(keys: KeyEpoch): void {
    if (keys === this.#last) return;
    keys.pin();
    this.#last = keys;
    this.#keys[this.#count++] = keys;
  }

  /** Lets go of all of them: the batch is done. */
  release(): void {
    for (let k = 0; k < this.#count; k++) this.#keys[k]?.unpin();
    this.#count = 0;
    this.#last = undefined;
  }
}
