// Table of connections in memory that the threads share: one record for each
// mux. Pages of records that nobody uses cost nothing.
//
// Every change happens under the record's lock and moves its version; readers
// compare versions and copy, under the lock as well, only what changed. A
// thread that died within a change leaves the lock behind: the others throw
// after a while instead of waiting for ever.
//
// Only the main thread makes, changes and removes connections: it remembers how
// far each key was used.
import {
  copySockaddr,
  sameSockaddr,
  SOCKADDR_WORDS,
} from "../../ffi/net/sockaddr.ts";
import type { MasterSecrets } from "../satp/secrets.ts";
import { ConnectionCounters } from "./connection_counters.ts";
import { CONNECTION_COUNTERS } from "./counters.ts";
import { LiveMuxes } from "./live_muxes.ts";
import { NumberSpaces, type SpaceKeys } from "./number_spaces.ts";
import { NumberWords, wireSeq } from "./numbers.ts";

/** Of WebAssembly. */
const PAGE_BYTES = 65536;

const RECORDS = 0x10000 + 1;
const RECORD_WORDS = 64;
/** In the last record: how often keys were taken out of use. */
const RETIREMENTS = 0x10000 * RECORD_WORDS;
/** Behind the records: which of them are in use. */
const LIVE = RECORDS * RECORD_WORDS;

// Places within a record, in words, and in 64 bit words where it says so.
const LOCK = 0;
const VERSION = 1;
const NEXT_64 = 1;
const ENDPOINT = 4;
const ROLE = 12;
const KEY_LENGTH = 13;
const WINDOW = 14;
const EXISTS = 15;
const KEY = 16;
const SALT = 24;
const NOTICES = 28;
const FINGERPRINT_64 = 15;
const COUNTERS_64 = 16;
const HEARD_64 = 31;

const KEY_MAX_BYTES = 32;
const SALT_MAX_BYTES = 16;

/** Tries for a lock before sleeping: a change is a few stores long. */
const SPINS = 1000;
const LOCK_SLEEP_MS = 100;
/**
 * How long a lock is waited for, in ms. Only a dead thread keeps it that long;
 * counted in naps, so that a process that was stopped loses only one.
 */
const LOCK_TIMEOUT_MS = 2000;

export interface ConnectionKeys extends SpaceKeys {
  /** Sequence numbers in the replay window; 0 checks nothing. */
  readonly windowSize: number;
}

export interface KeysSnapshot extends ConnectionKeys {
  /** Changes whenever key, salt or role do. */
  readonly epoch: number;
}

export const Notice = { NUMBERS_LOW: 0, NUMBERS_SPENT: 1 } as const;

export type Notice = typeof Notice[keyof typeof Notice];

export class ConnectionTable {
  readonly #shared: WebAssembly.Memory;
  readonly #words: Uint32Array;
  readonly #locks: Int32Array;
  readonly #numbers: NumberWords;
  readonly #bytes: Uint8Array;
  readonly #doubles: Float64Array;
  readonly #live: LiveMuxes;
  readonly #spaces: NumberSpaces;
  readonly #ownCounters: ConnectionCounters | undefined;
  /** Of the threads that do not count in the records. */
  readonly #otherCounters: ConnectionCounters[] = [];

  static allocate(): WebAssembly.Memory {
    const pages = Math.ceil((LIVE + LiveMuxes.WORDS) * 4 / PAGE_BYTES);
    const shared = true;
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  }

  /**
   * @param spaces For the one thread that changes connections
   * @param ownCounters Of {@link addCounters}, for a thread that has been given
   * some
   */
  constructor(
    shared: WebAssembly.Memory,
    spaces: NumberSpaces = new NumberSpaces(),
    ownCounters?: SharedArrayBuffer,
  ) {
    const { buffer } = shared;
    if (!(buffer instanceof SharedArrayBuffer)) {
      throw new TypeError("Cannot make a table: its memory is not shared");
    }
    this.#shared = shared;
    this.#words = new Uint32Array(buffer);
    this.#locks = new Int32Array(buffer);
    this.#numbers = new NumberWords(shared, NEXT_64, RECORD_WORDS / 2);
    this.#bytes = new Uint8Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#live = new LiveMuxes(buffer, LIVE * 4);
    this.#spaces = spaces;
    this.#ownCounters = ownCounters && new ConnectionCounters(ownCounters);
  }

  get shared(): WebAssembly.Memory {
    return this.#shared;
  }

  /** Moves with every change of the record; 0 while there was none. */
  version(mux: number): number {
    return Atomics.load(this.#locks, mux * RECORD_WORDS + VERSION);
  }

  exists(mux: number): boolean {
    return Atomics.load(this.#words, mux * RECORD_WORDS + EXISTS) === 1;
  }

  /** Whether {@link put} takes this number: at most 2^31 ahead of its own. */
  accepts(mux: number, keys: ConnectionKeys, firstSeq: number): boolean {
    return this.#spaces.accepts(this.#numbers, mux, keys, firstSeq);
  }

  /**
   * Makes or changes a connection. It goes on above all numbers that were used
   * with these keys before, and not below `firstSeq`. Of several connections
   * with the same keys under one mux in the header that of the lowest mux
   * counts, and the others get no numbers.
   *
   * @throws {RangeError} if {@link accepts} does not
   */
  put(mux: number, keys: ConnectionKeys, firstSeq: number): void {
    const record = mux * RECORD_WORDS;
    if (!this.accepts(mux, keys, firstSeq)) {
      throw new RangeError(
        `Cannot count on from ${firstSeq} at connection ${mux}: ` +
          "it is more than 2^31 ahead",
      );
    }
    const isRetiring = this.#locked(record, () => {
      const words = this.#words;
      const role = keys.role === "left" ? 0 : 1;
      const existed = words[record + EXISTS] === 1;
      const sameKeys = existed && this.#holdsKeys(record, keys.secrets);
      const sameEpoch = sameKeys && words[record + ROLE] === role;
      words[record + ROLE] = role;
      words[record + WINDOW] = keys.windowSize;
      if (!sameKeys) this.#writeKeys(record, keys.secrets);
      this.#doubles[record / 2 + FINGERPRINT_64] = this.#spaces
        .renumber(this.#numbers, mux, keys, firstSeq, sameEpoch);
      Atomics.store(words, record + EXISTS, 1);
      if (!existed) this.#doubles[record / 2 + HEARD_64] = 0;
      return existed && !sameEpoch;
    });
    if (isRetiring) this.#noteRetirement();
    this.#live.add(mux);
  }

  /**
   * Nothing more is sent or accepted under this mux from each thread's next
   * batch on; the threads wipe their keys when they see {@link retirements}
   * move. How far the keys were used is remembered, and the counters go on.
   */
  remove(mux: number): boolean {
    if (!this.exists(mux)) return false;
    const record = mux * RECORD_WORDS;
    this.#locked(record, () => {
      const words = this.#words;
      Atomics.store(words, record + EXISTS, 0);
      this.#spaces.remove(this.#numbers, mux);
      words.fill(0, record + ENDPOINT, record + EXISTS);
      words.fill(0, record + KEY, record + NOTICES);
      this.#doubles[record / 2 + FINGERPRINT_64] = 0;
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

  /** @returns false if it was that already */
  setEndpoint(mux: number, from: Uint32Array, at: number): boolean {
    const record = mux * RECORD_WORDS;
    if (sameSockaddr(this.#words, record + ENDPOINT, from, at)) return false;
    this.#locked(record, () => {
      copySockaddr(from, at, this.#words, record + ENDPOINT);
    });
    return true;
  }

  /**
   * Stores where the peer was heard. A batch in work may be older than a
   * removal or a change of keys: then it says nothing about the present
   * connection.
   *
   * @param epoch Of the keys that the datagram was opened with
   */
  follow(mux: number, epoch: number, from: Uint32Array, at: number): boolean {
    const record = mux * RECORD_WORDS;
    return this.#locked(record, () => {
      if (!this.exists(mux) || this.epoch(mux) !== epoch) return false;
      copySockaddr(from, at, this.#words, record + ENDPOINT);
      return true;
    });
  }

  copyEndpoint(mux: number, to: Uint32Array, at: number): void {
    const record = mux * RECORD_WORDS;
    this.#read(record, () => {
      copySockaddr(this.#words, record + ENDPOINT, to, at);
    });
  }

  keys(mux: number): KeysSnapshot {
    const record = mux * RECORD_WORDS;
    return this.#read(record, () => {
      const words = this.#words;
      const keyAt = (record + KEY) * 4;
      const saltAt = (record + SALT) * 4;
      const keyLength = Math.min(
        words[record + KEY_LENGTH] ?? 0,
        KEY_MAX_BYTES,
      );
      return {
        role: words[record + ROLE] === 0 ? "left" : "right",
        windowSize: words[record + WINDOW] ?? 0,
        epoch: this.epoch(mux),
        secrets: {
          key: this.#bytes.slice(keyAt, keyAt + keyLength),
          salt: this.#bytes.slice(saltAt, saltAt + (keyLength === 0 ? 0 : 14)),
        },
      };
    });
  }

  /** Changes whenever key, salt or role do; never that of two connections. */
  epoch(mux: number): number {
    return this.#numbers.epoch(mux);
  }

  /** A hash of key, salt and role: keys that come back have the same one. */
  fingerprint(mux: number): number {
    return this.#doubles[mux * (RECORD_WORDS / 2) + FINGERPRINT_64] ?? 0;
  }

  /** Takes numbers; see {@link NumberWords.reserve}. */
  reserve(mux: number, epoch: number, count: number, limit?: number): number {
    return this.#numbers.reserve(mux, epoch, count, limit);
  }

  nextSeq(mux: number): number {
    return wireSeq(this.#numbers.number(mux));
  }

  /** True once for each epoch of a connection, whichever thread asks. */
  firstNotice(mux: number, epoch: number, notice: Notice): boolean {
    const at = mux * RECORD_WORDS + NOTICES + notice;
    const mark = epoch + 1;
    return Atomics.load(this.#words, at) !== mark &&
      Atomics.exchange(this.#words, at, mark) !== mark;
  }

  /** Counters of its own for a thread that serves connections of others. */
  addCounters(): SharedArrayBuffer {
    const shared = ConnectionCounters.allocate();
    this.#otherCounters.push(new ConnectionCounters(shared));
    return shared;
  }

  /** What all threads have counted so far. */
  counted(mux: number): Float64Array {
    const sum = this.counters(mux).slice();
    for (const others of this.#otherCounters) {
      others.of(mux).forEach((n, k) => sum[k] = (sum[k] ?? 0) + n);
    }
    return sum;
  }

  /**
   * Those that this thread writes. Each has one writer: the thread of its
   * direction, or where there are several the one that {@link addCounters} was
   * called for.
   */
  counters(mux: number): Float64Array {
    if (this.#ownCounters !== undefined) return this.#ownCounters.of(mux);
    const at = (mux * (RECORD_WORDS / 2) + COUNTERS_64) * 8;
    return new Float64Array(this.#doubles.buffer, at, CONNECTION_COUNTERS);
  }

  /**
   * When an authentic datagram last came that was no replay, in ms since 1970
   * by the clock of the thread that received it, which never goes back: those
   * of two threads differ by as much as the time of day was set meanwhile.
   */
  lastHeard(mux: number): number | undefined {
    return this.#doubles[mux * (RECORD_WORDS / 2) + HEARD_64] || undefined;
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

  #holdsKeys(record: number, { key, salt }: MasterSecrets): boolean {
    if (this.#words[record + KEY_LENGTH] !== key.length) return false;
    const keyAt = (record + KEY) * 4;
    const saltAt = (record + SALT) * 4;
    return key.every((byte, k) => this.#bytes[keyAt + k] === byte) &&
      salt.every((byte, k) => this.#bytes[saltAt + k] === byte);
  }

  #writeKeys(record: number, { key, salt }: MasterSecrets): void {
    const keyAt = (record + KEY) * 4;
    const saltAt = (record + SALT) * 4;
    this.#bytes.fill(0, keyAt, saltAt + SALT_MAX_BYTES);
    this.#bytes.set(key, keyAt);
    this.#bytes.set(salt, saltAt);
    this.#words[record + KEY_LENGTH] = key.length;
  }

  #locked<T>(record: number, change: () => T): T {
    this.#acquire(record);
    try {
      return change();
    } finally {
      Atomics.add(this.#locks, record + VERSION, 1);
      this.#release(record);
    }
  }

  #read<T>(record: number, copy: () => T): T {
    this.#acquire(record);
    try {
      return copy();
    } finally {
      this.#release(record);
    }
  }

  #acquire(record: number): void {
    const at = record + LOCK;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#locks, at, 0, 1) === 0) return;
    }
    for (let waited = 0; waited < LOCK_TIMEOUT_MS;) {
      const end = Atomics.wait(this.#locks, at, 1, LOCK_SLEEP_MS);
      if (end === "timed-out") waited += LOCK_SLEEP_MS;
      if (Atomics.compareExchange(this.#locks, at, 0, 1) === 0) return;
    }
    throw new Error(
      `Cannot use the connection of mux ${record / RECORD_WORDS}: ` +
        `another thread has held it for ${LOCK_TIMEOUT_MS} ms`,
    );
  }

  #release(record: number): void {
    const at = record + LOCK;
    Atomics.store(this.#locks, at, 0);
    Atomics.notify(this.#locks, at);
  }
}

export function endpointWords(): Uint32Array {
  return new Uint32Array(SOCKADDR_WORDS);
}
