// Connections that share key streams, and how far each was used. Two datagrams
// with one number must differ in master key, salt, role, sender id or the mux
// in the header (SATP sections 2 and 3): without the sender id, which is part
// of the number here, these make a space of numbers. It is remembered as long
// as the process lives, and with a store beyond that, so that keys that come
// back go on where they ended.
//
// Of the connections of a space one is active, and takes numbers; the others are
// on standby.
import type { Role } from "../satp/params.ts";
import { type MasterSecrets, roomForKey } from "../satp/secrets.ts";
import type { NumberStore } from "../state/number_store.ts";
import { Ceilings, type InOneGo } from "./ceilings.ts";
import {
  isTooFarAhead,
  type NumberWords,
  raisedTo,
  STANDBY,
} from "./numbers.ts";

/** Spaces out of use that are remembered here, and not in the store yet. */
const MOST_UNSETTLED = 2 ** 12;

/** Without a store; then those used least are one. */
const MOST_REMEMBERED = 2 ** 16;

/** What decides on the space of a connection, besides its mux. */
export interface SpaceKeys {
  readonly role: Role;
  readonly secrets: MasterSecrets;
}

/** What a change of keys makes of a connection's numbers. */
interface NumberPlan {
  readonly space: string;
  /** At or above it all numbers are free. */
  readonly from: number;
  readonly seq: number;
}

interface NumberSpacesOptions {
  /** The mux in the header of a connection's datagrams; by default its own. */
  readonly headerMux?: (mux: number) => number;
  /**
   * A hash as text, so that no key outlives its use. Without one the keys
   * themselves are kept: for tests, and keys that are no secret.
   */
  readonly hash?: (data: Uint8Array<ArrayBuffer>) => string;
  /** Without one all numbers are free when the process starts. */
  readonly store?: NumberStore | undefined;
  /** Whether the sequence numbers of the last sender id may wrap. */
  readonly allowWrap?: boolean;
  /** Milliseconds of a monotonic clock; needed with a store. */
  readonly now?: () => number;
}

/** The spaces of one table, for the one thread that changes connections. */
export class NumberSpaces {
  readonly #headerMux: (mux: number) => number;
  readonly #hash: (data: Uint8Array<ArrayBuffer>) => string;
  /** Of spaces without a connection. */
  readonly #firstUnused = new Map<string, number>();
  /** Of all that are not remembered one by one. */
  #firstUnusedOfOthers = 0;
  #forgetAt = MOST_UNSETTLED;
  readonly #spaces = new Map<number, string>();
  /** The mux of the active connection of each space. */
  readonly #active = new Map<string, number>();
  /** The others, where there are any. */
  readonly #standby = new Map<string, Set<number>>();
  readonly #ceilings: Ceilings;

  constructor(options: NumberSpacesOptions = {}) {
    this.#ceilings = new Ceilings({
      store: options.store,
      allowWrap: options.allowWrap ?? false,
      now: options.now ?? (() => 0),
    });
    this.#headerMux = options.headerMux ?? ((mux) => mux);
    this.#hash = options.hash ?? ((data) => data.toHex());
  }

  accepts(
    words: NumberWords,
    mux: number,
    keys: SpaceKeys,
    seq: number,
  ): boolean {
    const number = this.#numberOf(words, this.#spaceOf(mux, keys));
    return !isTooFarAhead(number, seq);
  }

  /**
   * Asks the store for what {@link renumber} needs, which may take its time:
   * threads that send and receive wait for locks.
   *
   * @returns undefined if {@link accepts} does not take the number
   */
  plan(
    words: NumberWords,
    mux: number,
    keys: SpaceKeys,
    seq: number,
  ): NumberPlan | undefined {
    this.#forgetSome();
    const space = this.#spaceOf(mux, keys);
    const number = this.#numberOf(words, space);
    if (isTooFarAhead(number, seq)) return undefined;
    const isNew = mux < (this.#active.get(space) ?? Infinity);
    const from = isNew && this.#spaces.has(mux)
      ? this.#ceilings.begin(space, raisedTo(number, seq))
      : number;
    return { space, from, seq };
  }

  /**
   * Gives a connection its next number: above all that were used in its space,
   * and not below `seq`. In each space the connection of the lowest mux is
   * active, since it is the one that sends (SATP section 8).
   *
   * @returns A number that stands for the space: the same keys have the same
   * one
   */
  renumber(
    words: NumberWords,
    mux: number,
    { space, from, seq }: NumberPlan,
    epoch: "same" | "next",
  ): number {
    const active = this.#active.get(space) ?? mux;
    let first = from;
    if (active > mux) {
      const number = words.exchange(active, () => STANDBY);
      first = Math.max(from, number);
      this.#remember(space, number);
      this.#addStandby(space, active);
    }
    const isActive = active >= mux;
    const goesOn = this.#active.get(space) === mux;
    const old = this.#spaces.get(mux);
    const ceiling = isActive ? this.#ceilings.of(space) : 0;
    // Whoever still has the keys before must not get numbers above the ceiling
    // of those.
    words.setCeiling(mux, Math.min(words.ceiling(mux), ceiling));
    const before = words.exchange(
      mux,
      (number) => isActive ? raisedTo(goesOn ? number : first, seq) : STANDBY,
      epoch,
    );
    words.setCeiling(mux, ceiling);
    if (old !== undefined && old !== space) {
      this.#handOver(words, old, mux, before);
    }
    this.#spaces.set(mux, space);
    if (isActive) this.#activate(space, mux);
    else this.#addStandby(space, mux);
    return fingerprintOf(space);
  }

  /**
   * Reserves numbers for keys that are to seal later: those that change then
   * wait for no disk.
   */
  reserveAhead(words: NumberWords, mux: number, keys: SpaceKeys): void {
    const space = this.#spaceOf(mux, keys);
    this.#ceilings.begin(space, this.#numberOf(words, space));
  }

  /** What {@link forget} takes; it says nothing of the keys. */
  nameOf(mux: number, keys: SpaceKeys): string {
    return this.#spaceOf(mux, keys);
  }

  /** For keys that never come back: how far they were used is of no use. */
  forget(names: readonly string[]): void {
    const gone = names.filter((space) => !this.#active.has(space));
    for (const space of gone) this.#firstUnused.delete(space);
    if (gone.length > 0) this.#ceilings.forget(gone);
  }

  /** As {@link renumber} returns it, of keys that are not to be counted with. */
  fingerprint(mux: number, keys: SpaceKeys): number {
    return fingerprintOf(this.#spaceOf(mux, keys));
  }

  /** The next connection in the space goes on from where this one came. */
  remove(words: NumberWords, mux: number): void {
    const space = this.#spaces.get(mux);
    if (space === undefined) return;
    const before = words.exchange(mux, () => STANDBY, "next");
    this.#spaces.delete(mux);
    this.#handOver(words, space, mux, before);
  }

  /** Moves ceilings that numbers come near to, see {@link Ceilings}. */
  keepAhead(words: NumberWords, inOneGo: InOneGo): void {
    this.#ceilings.look(words, this.#active, inOneGo);
  }

  /** Whether the store takes no more: soon nothing is sent, or at once. */
  get areRefused(): boolean {
    return this.#ceilings.areRefused;
  }

  /** Keeps exactly how far all spaces were used: nothing is sent any more. */
  settle(words: NumberWords): void {
    const numbers = new Map(this.#firstUnused);
    for (const [space, mux] of this.#active) {
      words.setCeiling(mux, 0);
      // Who is told twice to stop waits for no thread: one may be left that has
      // looked at the ceiling before.
      numbers.set(space, words.exchange(mux, () => STANDBY));
    }
    this.#ceilings.settleAll(numbers);
  }

  #numberOf(words: NumberWords, space: string): number {
    const active = this.#active.get(space);
    if (active !== undefined) return words.number(active);
    return this.#firstUnused.get(space) ??
      Math.max(this.#firstUnusedOfOthers, this.#ceilings.firstUnused(space));
  }

  #spaceOf(mux: number, { role, secrets: { key, salt } }: SpaceKeys): string {
    const header = this.#headerMux(mux);
    const head = [header >>> 8, header & 0xff, role === "left" ? 0 : 1];
    const size = head.length + 1 + key.length + salt.length;
    const data = roomForKey(size);
    data.set([...head, key.length]);
    data.set(key, head.length + 1);
    data.set(salt, head.length + 1 + key.length);
    const space = this.#hash(data);
    data.fill(0);
    return space;
  }

  // From a connection that leaves a space: the lowest mux of those that stay is
  // the one that sends now.
  #handOver(
    words: NumberWords,
    space: string,
    mux: number,
    next: number,
  ): void {
    if (this.#active.get(space) !== mux) {
      return this.#removeStandby(space, mux);
    }
    this.#remember(space, next);
    const standby = this.#standby.get(space);
    if (standby === undefined) return;
    const heir = Math.min(...standby);
    this.#removeStandby(space, heir);
    words.setCeiling(heir, this.#ceilings.of(space));
    words.exchange(heir, () => next);
    this.#activate(space, heir);
  }

  #activate(space: string, mux: number): void {
    this.#active.set(space, mux);
    this.#firstUnused.delete(space);
  }

  // Nothing is noted that was never used: keys may come by the thousand.
  #remember(space: string, number: number): void {
    this.#active.delete(space);
    if (number > 0 || this.#ceilings.holds(space)) {
      this.#firstUnused.set(space, number);
    }
  }

  // Keys may come and go by sync for as long as the process lives, and nobody
  // says which of them never come back.
  #forgetSome(): void {
    const spaces = this.#firstUnused;
    if (spaces.size < this.#forgetAt) return;
    if (this.#ceilings.settle(spaces)) spaces.clear();
    else if (!this.#ceilings.areKept && spaces.size >= MOST_REMEMBERED) {
      this.#join();
    }
    this.#forgetAt = spaces.size + MOST_UNSETTLED;
  }

  #join(): void {
    const numbers = [...this.#firstUnused.values()].sort((a, b) => a - b);
    this.#firstUnusedOfOthers = numbers[MOST_REMEMBERED / 2] ?? 0;
    for (const [space, number] of this.#firstUnused) {
      if (number <= this.#firstUnusedOfOthers) this.#firstUnused.delete(space);
    }
  }

  #addStandby(space: string, mux: number): void {
    const standby = this.#standby.get(space);
    if (standby === undefined) this.#standby.set(space, new Set([mux]));
    else standby.add(mux);
  }

  #removeStandby(space: string, mux: number): void {
    const standby = this.#standby.get(space);
    if (standby?.delete(mux) && standby.size === 0) this.#standby.delete(space);
  }
}

/** 53 bits of a text, which for hashes are as good as any others. */
function fingerprintOf(space: string): number {
  let high = 0;
  let low = 0x811c9dc5;
  for (let k = 0; k < space.length; k++) {
    low = Math.imul(low ^ space.charCodeAt(k), 0x01000193);
    high = Math.imul(high, 31) + low | 0;
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
