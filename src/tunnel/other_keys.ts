// Trial of the other keys of its connection for what fails its tag, one set
// after the other.
import type { DatagramBatch } from "../satp/batch.ts";
import type { KeySchedule } from "../satp/key_derivation.ts";
import type { LoadedKeys } from "./loaded_keys.ts";

/**
 * Of those whose tag is wrong so many are tried with the other keys of their
 * connection. If one of them is opened the others are tried as well: a flood of
 * garbage costs a sixth more than without other keys, for each set of them.
 */
const SAMPLE = 16;

/** What keys have opened lately, in ms: then no sample is asked. */
const LATELY_MS = 1000;

/** Of each datagram of a batch. */
interface TriedKeys {
  /** Those that it is tried with, and in the end those that open it. */
  readonly keys: (LoadedKeys | undefined)[];
  /** Their schedules, null where it is dropped. */
  readonly schedules: (KeySchedule | null)[];
  /** All that its connection has. */
  readonly sets: (readonly LoadedKeys[])[];
}

export class OtherKeys {
  readonly #batch: DatagramBatch;
  readonly #tried: TriedKeys;
  /** 1 for what was opened before others are tried again. */
  readonly #opened: Uint8Array;
  /** The most of a connection; 1 where there is nothing else to try. */
  #mostSets = 1;
  /** Which of the sets is tried. */
  #attempt = 0;
  #isSample = false;

  constructor(batch: DatagramBatch, tried: TriedKeys) {
    this.#batch = batch;
    this.#tried = tried;
    this.#opened = new Uint8Array(batch.capacity);
  }

  /** For another batch. */
  begin(): void {
    this.#mostSets = 1;
    this.#attempt = 0;
    this.#isSample = false;
  }

  /** There is a connection with so many sets. */
  expect(sets: number): void {
    this.#mostSets = Math.max(this.#mostSets, sets);
  }

  /** See {@link Inbound.retry}. */
  retry(now: number): boolean {
    return this.#mostSets > 1 && this.#retry(now);
  }

  /** What was opened before the last trial is wanted again. */
  restoreOpened(): void {
    const { count, wanted } = this.#batch;
    for (let i = 0; i < count; i++) {
      if (this.#opened[i] === 1) wanted[i] = 1;
      this.#opened[i] = 0;
    }
  }

  #retry(now: number): boolean {
    const someOpened = this.#setOpenedAside();
    let mayAll = this.#isSample && someOpened;
    if (!mayAll) this.#attempt++;
    for (; this.#attempt < this.#mostSets; this.#attempt++) {
      const most = mayAll ? this.#batch.count : SAMPLE;
      if (this.#tryOthers(most, now - LATELY_MS)) return true;
      mayAll = false;
    }
    this.restoreOpened();
    return false;
  }

  #setOpenedAside(): boolean {
    const { count, wanted } = this.#batch;
    let some = false;
    for (let i = 0; i < count; i++) {
      if (wanted[i] !== 1) continue;
      wanted[i] = 0;
      this.#opened[i] = 1;
      some = true;
    }
    return some;
  }

  /** @param most Of those whose keys have opened nothing since `lately` */
  #tryOthers(most: number, lately: number): boolean {
    const { count, wanted } = this.#batch;
    const tried = this.#tried;
    let some = false;
    let sampled = 0;
    for (let i = 0; i < count; i++) {
      if (tried.keys[i] === undefined || this.#opened[i] === 1) continue;
      const keys = tried.sets[i]?.[this.#attempt];
      if (keys === undefined || keys === tried.keys[i]) continue;
      if (keys.openedAt < lately && ++sampled > most) continue;
      tried.keys[i] = keys;
      tried.schedules[i] = keys.schedules.open;
      wanted[i] = 1;
      some = true;
    }
    this.#isSample = sampled > most;
    return some;
  }
}
