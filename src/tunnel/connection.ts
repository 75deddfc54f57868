// Connections and their keys in one thread: copies of the shared records,
// renewed when those have changed.
import {
  copySockaddr,
  sameSockaddr,
  SOCKADDR_WORDS,
} from "../../ffi/net/sockaddr.ts";
import type { CryptoEngine } from "../satp/engine.ts";
import { ReplayWindow } from "../satp/replay_window.ts";
import { type SchedulePair, schedulePair } from "../satp/key_derivation.ts";
import type { ConnectionTable, KeysSnapshot } from "./connection_table.ts";
import { MuxMap } from "./mux_map.ts";
import { RetiredWindows } from "./retired_windows.ts";
import { EndpointTenure } from "./roaming.ts";

export class KeyEpoch {
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
  readonly #keys: KeyEpoch[] = [];
  #count = 0;
  #last: KeyEpoch | undefined;

  add(keys: KeyEpoch): void {
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

export class Connection {
  readonly mux: number;
  /** The endpoint's words; the first is 0 while none is known. */
  readonly endpoint = new Uint32Array(SOCKADDR_WORDS);
  readonly tenure = new EndpointTenure();
  readonly counters: Float64Array;
  /** undefined until the engine has the keys. */
  keys: KeyEpoch | undefined;
  /** Epoch of the keys that the engine has, or is given at present. */
  epoch = -1;
  /** Stands for these keys, see {@link ConnectionTable.fingerprint}. */
  fingerprint = 0;
  /** Until when, in ms, its endpoint gets no joined datagrams. */
  noGsoUntil = -Infinity;
  version = 0;

  constructor(mux: number, counters: Float64Array) {
    this.mux = mux;
    this.counters = counters;
  }

  get hasEndpoint(): boolean {
    // By bits, as sameSockaddr() does.
    return ((this.endpoint[0] ?? 0) | 0) !== 0;
  }
}

export class Connections {
  readonly table: ConnectionTable;
  readonly #engine: CryptoEngine;
  readonly #known = new MuxMap<Connection>();
  readonly #words = new Uint32Array(SOCKADDR_WORDS);
  readonly #windows = new RetiredWindows();
  #retirements = 0;
  #loading: Promise<unknown> = Promise.resolve();

  constructor(table: ConnectionTable, engine: CryptoEngine) {
    this.table = table;
    this.#engine = engine;
  }

  get(mux: number): Connection | undefined {
    const known = this.#known.get(mux);
    const version = this.table.version(mux);
    if (known !== undefined && known.version === version) return known;
    return version === 0 ? undefined : this.#refresh(mux);
  }

  /** Wipes the keys out of use, also those that no packet asks for any more. */
  dropRetired(): void {
    const { retirements } = this.table;
    if (retirements === this.#retirements) return;
    this.#retirements = retirements;
    this.#known.forEach((connection) => {
      const { mux, epoch, version } = connection;
      // Every change moves it, and it is cheaper to look at than the rest.
      if (version === this.table.version(mux)) return;
      if (!this.table.exists(mux)) this.#forget(connection);
      else if (this.table.epoch(mux) !== epoch) this.#retire(connection);
    });
  }

  /** Loads the keys now, so that the first packet does not find them missing. */
  async load(mux: number): Promise<void> {
    this.get(mux);
    await this.#loading;
  }

  #refresh(mux: number): Connection | undefined {
    for (;;) {
      const version = this.table.version(mux);
      let connection = this.#known.get(mux);
      if (!this.table.exists(mux)) {
        if (connection !== undefined) this.#forget(connection);
        return undefined;
      }
      const given = this.table.keys(mux);
      const fingerprint = this.table.fingerprint(mux);
      // What was read may be of a connection that is being removed: no key.
      if (this.table.version(mux) !== version) {
        given.secrets.key.fill(0);
        continue;
      }
      connection ??= new Connection(mux, this.table.counters(mux));
      this.#known.set(mux, connection);
      connection.noGsoUntil = -Infinity;
      this.#refreshEndpoint(connection);
      this.#refreshKeys(connection, given, fingerprint);
      connection.version = version;
      return connection;
    }
  }

  #refreshEndpoint(connection: Connection): void {
    this.table.copyEndpoint(connection.mux, this.#words, 0);
    if (sameSockaddr(connection.endpoint, 0, this.#words, 0)) return;
    copySockaddr(this.#words, 0, connection.endpoint, 0);
    connection.tenure.assign();
  }

  #refreshKeys(
    connection: Connection,
    given: KeysSnapshot,
    fingerprint: number,
  ): void {
    if (given.epoch === connection.epoch) {
      given.secrets.key.fill(0);
      connection.keys?.replay.resize(given.windowSize);
      return;
    }
    this.#retire(connection);
    connection.epoch = given.epoch;
    connection.fingerprint = fingerprint;
    const made = schedulePair(this.#engine, given.secrets, given.role);
    if (made instanceof Promise) {
      this.#loading = made.then((schedules) => {
        this.#take(connection, given, schedules);
        // The window may have another size by now: looked at again.
        connection.version = 0;
      });
    } else this.#take(connection, given, made);
  }

  #take(
    connection: Connection,
    { epoch, windowSize, secrets }: KeysSnapshot,
    schedules: SchedulePair,
  ): void {
    secrets.key.fill(0);
    // They may have changed again while the engine took them.
    if (connection.epoch !== epoch) return schedules.seal.master?.close();
    const { mux, fingerprint } = connection;
    const replay = this.#windows.take(mux, fingerprint) ??
      new ReplayWindow(windowSize);
    replay.resize(windowSize);
    connection.keys = new KeyEpoch(epoch, schedules, replay);
  }

  #forget(connection: Connection): void {
    this.#retire(connection);
    this.#known.set(connection.mux, undefined);
  }

  // A batch in work may hold the keys: they are closed when it is done.
  #retire(connection: Connection): void {
    const { keys, mux, fingerprint } = connection;
    connection.version = 0;
    connection.epoch = -1;
    connection.keys = undefined;
    if (keys === undefined) return;
    this.#windows.keep(mux, fingerprint, keys.replay, keys.isInWork);
    keys.retire();
  }
}
