// Table of connections in memory that the threads share: one record for each
// mux. Pages of records that nobody uses cost nothing.
//
// Readers compare versions and copy, under the record's lock, only what changed.
//
// Only the main thread makes, changes and removes connections: it remembers how
// far each key was used.
import { SOCKADDR_WORDS } from "../../ffi/net/sockaddr.ts";
import { ConnectionCounters } from "./connection_counters.ts";
import { type HeldKeys, KeySets, type KeyTurn } from "./key_sets.ts";
import { DueMuxes, LiveMuxes } from "./mux_sets.ts";
import { NumberSpaces, type SpaceKeys } from "./number_spaces.ts";
import { NumberWords, wireSeq } from "./numbers.ts";
import { type LockPatience, RecordLocks } from "./record_lock.ts";
import { TableEndpoints } from "./table_endpoints.ts";

/** Of WebAssembly. */
const PAGE_BYTES = 65536;

const RECORDS = 0x10000 + 1;
/** Whole cache lines, so that neighbours do not share one. */
const RECORD_WORDS = 144;
/** In the last record: how often keys were taken out of use. */
const RETIREMENTS = 0x10000 * RECORD_WORDS;
/** Behind the records: which of them are in use. */
const LIVE = RECORDS * RECORD_WORDS;
/** Behind that: which of them are due for a datagram without payload. */
const DUE = LIVE + LiveMuxes.WORDS;

// Places within a record, in words, and in 64 bit words where it says so. The
// words 0 and 1 are those of `RecordLocks`, 4 to 11 and 127 to 131 of
// `TableEndpoints`, and 12, 13, 16 to 31, 66 to 69 and 72 to 123 of `KeySets`.
const NEXT_64 = 1;
const WINDOW = 14;
const EXISTS = 15;
const COUNTERS_64 = 16;
const HEARD_64 = 31;
const CEILING_64 = 32;
const NOTICES = 124;
const NOTICE_WORDS = 2;
const ASKED = 126;

export interface ConnectionKeys extends SpaceKeys {
  /** Sequence numbers in the replay window; 0 checks nothing. */
  readonly windowSize: number;
}

export interface KeysSnapshot extends ConnectionKeys {
  /** Changes whenever key, salt or role do. */
  readonly epoch: number;
}

/** All keys of a connection. */
export interface HeldSnapshot {
  /** Sequence numbers in the replay window of each set. */
  readonly windowSize: number;
  /** As of {@link KeysSnapshot}. */
  readonly epoch: number;
  /** Name of the set that seals. */
  readonly sealing: number;
  readonly sets: readonly HeldKeys[];
}

export const Notice = { NUMBERS_LOW: 0, NUMBERS_SPENT: 1 } as const;

export type Notice = typeof Notice[keyof typeof Notice];

export class ConnectionTable {
  readonly counters: ConnectionCounters;
  readonly due: DueMuxes;
  readonly endpoints: TableEndpoints;
  readonly #shared: WebAssembly.Memory;
  readonly #words: Uint32Array;
  readonly #locks: RecordLocks;
  readonly #numbers: NumberWords;
  readonly #sets: KeySets;
  readonly #doubles: Float64Array;
  readonly #live: LiveMuxes;
  readonly #spaces: NumberSpaces;

  static allocate(): WebAssembly.Memory {
    const pages = Math.ceil((DUE + DueMuxes.WORDS) * 4 / PAGE_BYTES);
    const shared = true;
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  }

  /**
   * @param spaces For the one thread that changes connections
   * @param ownCounters Of the counters' `addThread()`, for a thread that has been
   * given some
   * @param waitsOn For records that another thread holds
   */
  constructor(
    shared: WebAssembly.Memory,
    spaces: NumberSpaces = new NumberSpaces(),
    ownCounters?: SharedArrayBuffer,
    waitsOn?: LockPatience,
  ) {
    const { buffer } = shared;
    if (!(buffer instanceof SharedArrayBuffer)) {
      throw new TypeError("Cannot make a table: its memory is not shared");
    }
    this.#shared = shared;
    this.#words = new Uint32Array(buffer);
    this.#locks = new RecordLocks(buffer, RECORD_WORDS, waitsOn);
    this.#numbers = new NumberWords(shared, {
      number: NEXT_64,
      ceiling: CEILING_64,
      stride: RECORD_WORDS / 2,
    });
    this.#sets = new KeySets(buffer);
    this.endpoints = new TableEndpoints(buffer, {
      stride: RECORD_WORDS,
      locks: this.#locks,
      sets: this.#sets,
    });
    this.#doubles = new Float64Array(buffer);
    const places = { at: COUNTERS_64 * 8, stride: RECORD_WORDS * 4 };
    this.counters = new ConnectionCounters(buffer, places, ownCounters);
    this.#live = new LiveMuxes(buffer, LIVE * 4);
    this.due = new DueMuxes(buffer, DUE * 4);
    this.#spaces = spaces;
  }

  get shared(): WebAssembly.Memory {
    return this.#shared;
  }

  /** Moves with every change of the record; 0 while there was none. */
  version(mux: number): number {
    return this.#locks.version(mux * RECORD_WORDS);
  }

  /** The same behind a change that is under way. */
  settledVersion(mux: number): number {
    const record = mux * RECORD_WORDS;
    return this.#locks.read(record, () => this.#locks.version(record));
  }

  exists(mux: number): boolean {
    return Atomics.load(this.#words, mux * RECORD_WORDS + EXISTS) === 1;
  }

  /** As {@link exists}, a moment later, without a look at the record. */
  isLive(mux: number): boolean {
    return this.#live.has(mux);
  }

  /** Whether {@link put} takes this number: at most 2^31 ahead of its own. */
  accepts(mux: number, keys: ConnectionKeys, firstSeq: number): boolean {
    return this.#spaces.accepts(this.#numbers, mux, keys, firstSeq);
  }

  /**
   * Makes or changes a connection. It goes on above all numbers that were used
   * with these keys before, and not below `firstSeq`. Of several connections
   * with the same keys under one mux in the header that of the lowest mux is
   * active, and the others get no numbers.
   *
   * @param old Whether the keys until now go on opening, as well as those of
   * {@link addOpening}, until {@link dropOpening}
   * @returns The name of the keys
   * @throws {RangeError} if {@link accepts} does not
   */
  put(
    mux: number,
    keys: ConnectionKeys,
    firstSeq: number,
    old: "drop" | "keep" = "drop",
  ): number {
    const record = mux * RECORD_WORDS;
    const plan = this.#spaces.plan(this.#numbers, mux, keys, firstSeq);
    if (plan === undefined) {
      throw new RangeError(
        `Cannot count on from ${firstSeq} at connection ${mux}: ` +
          "it is more than 2^31 ahead",
      );
    }
    const sets = this.#sets;
    const before = this.exists(mux) ? sets.sealing(record) : 0;
    let areGone = false;
    const name = this.#locks.change(record, () => {
      const words = this.#words;
      const name = sets.add(record, keys);
      sets.seal(record, name);
      words[record + WINDOW] = keys.windowSize;
      const epoch = name === before ? "same" : "next";
      const fingerprint = this.#spaces
        .renumber(this.#numbers, mux, plan, epoch);
      sets.setFingerprint(record, name, fingerprint);
      if (old === "drop") areGone = sets.dropAllButSealing(record);
      Atomics.store(words, record + EXISTS, 1);
      if (before === 0) this.#doubles[record / 2 + HEARD_64] = 0;
      return name;
    });
    const isOther = before !== 0 && before !== name;
    if (areGone || isOther) this.#noteRetirement();
    this.#live.add(mux);
    return name;
  }

  /**
   * Has further keys open what comes in, but seal nothing. Of more than three
   * those are dropped that the peer left first.
   *
   * @param turn Where the peer has sealed with later ones it is not followed by
   * what comes with earlier ones
   * @returns Their name, or undefined if there is no such connection
   */
  addOpening(
    mux: number,
    keys: SpaceKeys,
    turn: KeyTurn = "after",
  ): number | undefined {
    if (!this.exists(mux)) return undefined;
    const record = mux * RECORD_WORDS;
    const sets = this.#sets;
    const before = sets.names(record);
    const name = this.#locks.change(record, () => {
      const name = sets.add(record, keys, turn);
      const fingerprint = this.#spaces.fingerprint(mux, keys);
      sets.setFingerprint(record, name, fingerprint);
      return name;
    });
    const madeRoom = before.some((name) => !sets.holds(record, name));
    if (madeRoom) this.#noteRetirement();
    return name;
  }

  /**
   * Opens nothing more with these keys; the threads wipe them as after
   * {@link remove}.
   *
   * @returns false if there are none of this name, or they are those that seal
   */
  dropOpening(mux: number, name: number): boolean {
    const record = mux * RECORD_WORDS;
    const isGone = this.#locks.change(
      record,
      () => this.#sets.drop(record, name),
    );
    if (isGone) this.#noteRetirement();
    return isGone;
  }

  /** Name of the keys that seal, or undefined without a connection. */
  sealing(mux: number): number | undefined {
    return this.#sets.sealing(mux * RECORD_WORDS) || undefined;
  }

  /** Whether keys of this name seal or open. */
  holds(mux: number, name: number): boolean {
    return this.#sets.holds(mux * RECORD_WORDS, name);
  }

  /**
   * When a datagram was last opened with these keys that was authentic and no
   * replay, to a tenth of a second; clock as of {@link lastHeard}.
   */
  lastOpened(mux: number, name: number): number | undefined {
    return this.#sets.opened(mux * RECORD_WORDS, name) || undefined;
  }

  noteOpened(mux: number, name: number, now: number): void {
    const record = mux * RECORD_WORDS;
    // Under the lock, since the place may go to other keys.
    this.#locks.read(record, () => this.#sets.noteOpened(record, name, now));
  }

  /**
   * Nothing more is sent or accepted under this mux from each thread's next
   * batch on; the threads wipe their keys when they see {@link retirements}
   * move. How far the keys were used is remembered, and the counters go on.
   */
  remove(mux: number): boolean {
    if (!this.exists(mux)) return false;
    const record = mux * RECORD_WORDS;
    this.#locks.change(record, () => {
      const words = this.#words;
      Atomics.store(words, record + EXISTS, 0);
      this.#spaces.remove(this.#numbers, mux);
      this.#sets.dropAll(record);
      this.endpoints.clear(record);
      words[record + WINDOW] = 0;
      words.fill(0, record + NOTICES, record + NOTICES + NOTICE_WORDS);
      Atomics.store(words, record + ASKED, 0);
    });
    this.#noteRetirement();
    this.#live.delete(mux);
    return true;
  }

  /** Moves whenever keys are taken out of use: there are copies to wipe. */
  get retirements(): number {
    return Atomics.load(this.#words, RETIREMENTS);
  }

  liveMuxes(): number[] {
    return this.#live.list();
  }

  /** The lowest mux that has a connection, or -1 without any. */
  lowestMux(): number {
    return this.#live.lowest;
  }

  /** Sequence numbers in the replay window; 0 checks nothing. */
  windowSize(mux: number): number {
    return Atomics.load(this.#words, mux * RECORD_WORDS + WINDOW);
  }

  /** Those that seal. */
  keys(mux: number): KeysSnapshot {
    const record = mux * RECORD_WORDS;
    return this.#locks.read(record, () => {
      const name = this.#sets.sealing(record);
      const { role, secrets } = this.#sets.read(record, name);
      const windowSize = this.#words[record + WINDOW] ?? 0;
      return { role, secrets, windowSize, epoch: this.epoch(mux) };
    });
  }

  /** All of them, as copies. */
  held(mux: number): HeldSnapshot {
    const record = mux * RECORD_WORDS;
    return this.#locks.read(record, () => ({
      windowSize: this.#words[record + WINDOW] ?? 0,
      epoch: this.epoch(mux),
      sealing: this.#sets.sealing(record),
      sets: this.#sets.names(record)
        .map((name) => this.#sets.read(record, name)),
    }));
  }

  /** Changes whenever key, salt or role do; never that of two connections. */
  epoch(mux: number): number {
    return this.#numbers.epoch(mux);
  }

  /** Takes numbers; see {@link NumberWords.reserve}. */
  reserve(mux: number, epoch: number, count: number, limit?: number): number {
    return this.#numbers.reserve(mux, epoch, count, limit);
  }

  nextSeq(mux: number): number {
    return wireSeq(this.#numbers.number(mux));
  }

  /** Whether all numbers below the limit of {@link reserve} are used. */
  isSpent(mux: number, limit: number): boolean {
    return this.#numbers.number(mux) >= limit;
  }

  /** Keeps it ahead of use which numbers are used, see {@link NumberSpaces}. */
  keepNumbersAhead(): void {
    this.#spaces.keepAhead(
      this.#numbers,
      (mux, change) => this.#locks.change(mux * RECORD_WORDS, change),
    );
  }

  /** See {@link NumberSpaces.areRefused}. */
  get numbersAreRefused(): boolean {
    return this.#spaces.areRefused;
  }

  /** For keys that are to seal later; see {@link NumberSpaces}. */
  reserveAhead(mux: number, keys: SpaceKeys): void {
    this.#spaces.reserveAhead(this.#numbers, mux, keys);
  }

  /** Of the numbers used with these keys, for {@link forgetNumbers}. */
  numbersName(mux: number, keys: SpaceKeys): string {
    return this.#spaces.nameOf(mux, keys);
  }

  /** Of keys that never come back. */
  forgetNumbers(names: readonly string[]): void {
    this.#spaces.forget(names);
  }

  /** Keeps exactly which numbers were used; none is given out any more. */
  settleNumbers(): void {
    this.#spaces.settle(this.#numbers);
  }

  /** True once for each epoch of a connection, whichever thread asks. */
  firstNotice(mux: number, epoch: number, notice: Notice): boolean {
    const at = mux * RECORD_WORDS + NOTICES + notice;
    const wanted = epoch + 1;
    return Atomics.load(this.#words, at) !== wanted &&
      Atomics.exchange(this.#words, at, wanted) !== wanted;
  }

  /** Asks for refused datagrams; see `refused_samples.ts`. */
  ask(mux: number, question: number): void {
    if (!this.exists(mux)) return;
    Atomics.store(this.#words, mux * RECORD_WORDS + ASKED, question);
  }

  /** 0 where nothing is asked for. */
  asked(mux: number): number {
    return Atomics.load(this.#words, mux * RECORD_WORDS + ASKED);
  }

  /** @returns Whether this was still asked for; now it is not */
  takeAsked(mux: number, bit: number): boolean {
    const at = mux * RECORD_WORDS + ASKED;
    return (Atomics.and(this.#words, at, ~bit) & bit) !== 0;
  }

  /**
   * When an authentic datagram last came that was no replay, in ms since 1970
   * by the clock of the thread that received it, which never goes back: those
   * of two threads differ by as much as the time of day was set meanwhile.
   */
  lastHeard(mux: number): number | undefined {
    return this.#doubles[mux * (RECORD_WORDS / 2) + HEARD_64] || undefined;
  }

  /** Whether nothing was heard of the peer for so many ms. */
  isSilent(mux: number, now: number, ms: number): boolean {
    return now - (this.#doubles[mux * (RECORD_WORDS / 2) + HEARD_64] ?? 0) > ms;
  }

  noteHeard(mux: number, now: number): void {
    const at = mux * (RECORD_WORDS / 2) + HEARD_64;
    // Once for each batch: other threads may be reading what lies beside it.
    if (this.#doubles[at] !== now) this.#doubles[at] = now;
  }

  // When the version has moved, and not before: who looks in between would pass
  // over the record, and not look again.
  #noteRetirement(): void {
    Atomics.add(this.#words, RETIREMENTS, 1);
  }
}

export function endpointWords(): Uint32Array {
  return new Uint32Array(SOCKADDR_WORDS);
}
