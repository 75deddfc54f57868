/**
 * Connections as one thread sees them: keys ready for its engine, the replay
 * window, and a copy of the endpoint, brought up to date when the shared
 * record has changed.
 *
 * @module
 */
import type { CryptoEngine } from "../satp/engine.ts";
import { ReplayWindow } from "../satp/replay_window.ts";
import { type SchedulePair, schedulePair } from "../satp/schedule.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { ENDPOINT_WORDS } from "./endpoint_words.ts";

/** One connection in one thread. */
export class Connection {
  readonly mux: number;
  /** The endpoint's words; the first is 0 while none is known. */
  readonly endpoint = new Uint32Array(ENDPOINT_WORDS);
  readonly counters: Float64Array;
  /** undefined until the engine has the keys. */
  schedules: SchedulePair | undefined;
  /** To be named when sequence numbers are taken. */
  epoch = -1;
  replay = new ReplayWindow(0);
  /** When the known endpoint last sent something authentic, in ms. */
  heardAt = -Infinity;
  /** Until when, in ms, its endpoint gets no joined datagrams. */
  spareGsoUntil = -Infinity;
  /** Version of the shared record that this copy has. */
  version = 0;

  constructor(mux: number, counters: Float64Array) {
    this.mux = mux;
    this.counters = counters;
  }

  get hasEndpoint(): boolean {
    return this.endpoint[0] !== 0;
  }
}

/** The connections of one thread. */
export class Connections {
  readonly table: ConnectionTable;
  readonly #engine: CryptoEngine;
  readonly #known: (Connection | undefined)[] = [];
  #loading: Promise<unknown> = Promise.resolve();

  /** @param engine Which keys are imported into */
  constructor(table: ConnectionTable, engine: CryptoEngine) {
    this.table = table;
    this.#engine = engine;
  }

  /** The connection of a mux, up to date, or undefined if there is none. */
  get(mux: number): Connection | undefined {
    const known = this.#known[mux];
    const version = this.table.version(mux);
    if (known !== undefined && known.version === version) return known;
    return version === 0 ? undefined : this.#refresh(mux, version);
  }

  /**
   * Has the engine take the keys of a connection now, so that its first packet
   * does not find them missing.
   */
  async load(mux: number): Promise<void> {
    this.get(mux);
    await this.#loading;
  }

  #refresh(mux: number, version: number): Connection | undefined {
    if (!this.table.exists(mux)) return undefined;
    let connection = this.#known[mux];
    if (connection === undefined) {
      connection = new Connection(mux, this.table.counters(mux));
      this.#known[mux] = connection;
    }
    connection.version = version;
    connection.spareGsoUntil = -Infinity;
    this.table.copyEndpoint(mux, connection.endpoint, 0);
    this.#refreshKeys(connection);
    return connection;
  }

  #refreshKeys(connection: Connection): void {
    const { role, secrets, windowSize, epoch } = this.table.keys(
      connection.mux,
    );
    if (epoch === connection.epoch && windowSize === connection.replay.size) {
      secrets.key.fill(0);
      return;
    }
    if (epoch !== connection.epoch) {
      connection.schedules?.seal.master?.close();
      connection.schedules = undefined;
      connection.epoch = epoch;
      const made = schedulePair(this.#engine, secrets, role);
      const take = (schedules: SchedulePair) => {
        secrets.key.fill(0);
        if (connection.epoch === epoch) connection.schedules = schedules;
      };
      if (made instanceof Promise) this.#loading = made.then(take);
      else take(made);
    }
    connection.replay = new ReplayWindow(windowSize);
  }
}
