// Connections and their keys in one thread: copies of the shared records,
// renewed when those have changed.
import {
  copySockaddr,
  LOCAL_WORDS,
  sameSockaddr,
  SOCKADDR_WORDS,
  sockaddrFamily,
} from "../../ffi/net/sockaddr.ts";
import type { CryptoEngine } from "../satp/engine.ts";
import { MAX_DATAGRAM_BYTES } from "../satp/header.ts";
import { ReplayMemory } from "../satp/replay_memory.ts";
import { DEFAULT_MAX_SENDERS, ReplayWindow } from "../satp/replay_window.ts";
import { type SchedulePair, schedulePair } from "../satp/key_derivation.ts";
import type { AcceptedMemory, MuxShare } from "../state/accepted_memory.ts";
import type { ConnectionTable, HeldSnapshot } from "./connection_table.ts";
import type { HeldKeys } from "./key_sets.ts";
import { LoadedKeys } from "./loaded_keys.ts";
import { MUX_PAGES, MuxMap } from "./mux_map.ts";
import { roomOf } from "./path_room.ts";
import type { ReplayFloors } from "./replay_floors.ts";
import { RetiredWindows } from "./retired_windows.ts";
import { EndpointTenure } from "./roaming.ts";

export class Connection {
  readonly mux: number;
  /** The endpoint's words; the first is 0 while none is known. */
  readonly endpoint = new Uint32Array(SOCKADDR_WORDS);
  /** The address of this host to send from; see `sockaddr.ts`. */
  readonly local = new Uint32Array(LOCAL_WORDS);
  readonly tenure = new EndpointTenure();
  readonly counters: Float64Array;
  /** Those that seal; undefined until the engine has them. */
  keys: LoadedKeys | undefined;
  /** Of the numbers that go with {@link keys}. */
  epoch = -1;
  /**
   * Those that open, first those that the peer has come to. Another list
   * whenever they are others: a batch in work keeps the one that it was
   * classified with.
   */
  sets: LoadedKeys[] = [];
  /** Until when, in ms, its endpoint gets no joined datagrams. */
  noGsoUntil = -Infinity;
  /** Bytes of the longest datagram that passes the path in one piece. */
  pathRoom = MAX_DATAGRAM_BYTES;
  version = 0;

  constructor(mux: number, counters: Float64Array) {
    this.mux = mux;
    this.counters = counters;
  }

  get hasEndpoint(): boolean {
    // By bits, as sameSockaddr() does.
    return ((this.endpoint[0] ?? 0) | 0) !== 0;
  }

  /**
   * Whether the peer has gone on to later keys than these: what comes with them
   * is late, or was held back by somebody who sends it from elsewhere.
   */
  isPast({ rank }: LoadedKeys): boolean {
    for (let k = 0; k < this.sets.length; k++) {
      const other = this.sets[k];
      if (other && other.rank > rank && other.openedAt > -Infinity) return true;
    }
    return false;
  }

  /** Has these keys open first, if they are its own. */
  prefer(keys: LoadedKeys): void {
    const { sets } = this;
    if (sets[0] === keys || !sets.includes(keys)) return;
    this.sets = [keys, ...sets.filter((other) => other !== keys)];
  }
}

/** Floors, for the thread that receives what comes of its share. */
export interface SharedFloors {
  readonly floors: ReplayFloors;
  readonly share: MuxShare;
}

/** To wipe the keys of as many takes less than a millisecond. */
const LOOKED_AT_ONCE = 128;

/** Connections whose floors are looked at in one round. */
const RAISED_A_ROUND = 256;

export class Connections {
  readonly table: ConnectionTable;
  readonly #engine: CryptoEngine;
  readonly #accepted: AcceptedMemory | undefined;
  readonly #floors: SharedFloors | undefined;
  readonly #known = new MuxMap<Connection>();
  readonly #words = new Uint32Array(SOCKADDR_WORDS);
  readonly #windows = new RetiredWindows();
  /** Keys that an engine takes its time with. */
  readonly #underWay = new Set<string>();
  readonly #memory: ReplayMemory;
  #retirements = 0;
  /** Of known connections: the one looked at last, and how many are to be. */
  #page = 0;
  #pagesLeft = 0;
  #floorTurn = 0;
  #loading: Promise<unknown> = Promise.resolve();

  /**
   * @param memory Of all replay windows
   * @param accepted Where it is kept which numbers were accepted
   * @param floors What other members have accepted
   */
  constructor(
    table: ConnectionTable,
    engine: CryptoEngine,
    memory = new ReplayMemory(),
    accepted?: AcceptedMemory,
    floors?: SharedFloors,
  ) {
    this.table = table;
    this.#engine = engine;
    this.#memory = memory;
    this.#accepted = accepted;
    this.#floors = floors;
  }

  get(mux: number): Connection | undefined {
    const known = this.#known.get(mux);
    // Strangers name any mux, and a record that was looked at takes memory.
    if (known === undefined && !this.table.isLive(mux)) return undefined;
    const version = this.table.version(mux);
    if (known !== undefined && known.version === version) return known;
    return version === 0 ? undefined : this.#refresh(mux);
  }

  /** Looks at the record again, also in the middle of a change. */
  renew(connection: Connection): void {
    connection.version = 0;
    this.get(connection.mux);
  }

  /** Wipes the keys out of use, also those that no packet asks for any more. */
  dropRetired(): void {
    do this.dropSomeRetired(); while (this.hasRetired);
  }

  /** Whether {@linkcode dropSomeRetired} has left some. */
  get hasRetired(): boolean {
    return this.#pagesLeft > 0;
  }

  /**
   * As {@linkcode dropRetired}, in parts: many may know of many, and packets
   * should not wait for all of them. Each goes on with the muxes where the one
   * before has ended.
   */
  dropSomeRetired(): void {
    const { retirements } = this.table;
    if (retirements !== this.#retirements) {
      this.#retirements = retirements;
      this.#pagesLeft = MUX_PAGES;
    }
    for (let looked = 0; this.#pagesLeft > 0 && looked < LOOKED_AT_ONCE;) {
      this.#pagesLeft--;
      this.#page = (this.#page + 1) % MUX_PAGES;
      looked += this.#known.forEachOf(this.#page, this.#dropIfRetired);
    }
  }

  /**
   * What other members have accepted by now counts as seen. Where much has
   * changed the rest waits for the next round, so that packets do not.
   */
  raiseFloors(): void {
    if (this.#floors === undefined) return;
    const { floors, share } = this.#floors;
    const { turn } = floors;
    if (turn === this.#floorTurn) return;
    let mux = -1;
    for (let k = 0; k < RAISED_A_ROUND; k++) {
      mux = floors.take(mux + 1, share);
      if (mux < 0) {
        this.#floorTurn = turn;
        return;
      }
      for (const { replay } of this.#known.get(mux)?.sets ?? []) {
        replay.raise();
      }
    }
  }

  /** Loads the keys now, so that the first packet does not find them missing. */
  async load(mux: number): Promise<void> {
    this.get(mux);
    await this.#loading;
  }

  /** Whether a batch may miss keys that {@link catchUp} would have loaded. */
  get isBehind(): boolean {
    return this.table.retirements !== this.#retirements ||
      this.#underWay.size > 0;
  }

  /** For engines that take their time. */
  async catchUp(): Promise<void> {
    if (this.table.retirements !== this.#retirements) {
      this.dropRetired();
      this.#known.forEach(({ mux }) => void this.get(mux));
    }
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
      const given = this.table.held(mux);
      // What was read may be of a connection that is being removed: no key.
      if (this.table.version(mux) !== version) {
        given.sets.forEach(wipe);
        continue;
      }
      connection ??= new Connection(mux, this.table.counters.of(mux));
      this.#known.set(mux, connection);
      connection.noGsoUntil = -Infinity;
      this.#refreshEndpoint(connection);
      this.#refreshKeys(connection, given);
      connection.version = version;
      return connection;
    }
  }

  #refreshEndpoint(connection: Connection): void {
    const { mux } = connection;
    const { endpoints } = this.table;
    endpoints.copyLocal(mux, connection.local);
    endpoints.copy(mux, this.#words, 0);
    const mtu = endpoints.pathMtu(mux);
    connection.pathRoom = roomOf(mtu, sockaddrFamily(this.#words, 0));
    if (sameSockaddr(connection.endpoint, 0, this.#words, 0)) return;
    copySockaddr(this.#words, 0, connection.endpoint, 0);
    connection.tenure.assign();
  }

  #refreshKeys(
    connection: Connection,
    { sets, sealing, epoch, windowSize }: HeldSnapshot,
  ): void {
    this.#retire(connection);
    for (const given of sets) {
      const known = connection.sets.find(({ name }) => name === given.name);
      if (known === undefined) this.#load(connection, given, windowSize);
      else {
        wipe(given);
        known.moveTo(given.rank);
        known.replay.resize(windowSize);
      }
    }
    connection.keys = connection.sets.find(({ name }) => name === sealing);
    connection.epoch = epoch;
  }

  #load(connection: Connection, given: HeldKeys, windowSize: number): void {
    const { mux } = connection;
    const tag = `${mux} ${given.name}`;
    if (this.#underWay.has(tag)) return wipe(given);
    const made = schedulePair(this.#engine, given.secrets, given.role);
    if (!(made instanceof Promise)) {
      return this.#take(connection, given, windowSize, made);
    }
    this.#underWay.add(tag);
    const arrived = made.then((schedules) => {
      const present = this.#known.get(mux);
      // They may have gone again while the engine took them.
      if (present === undefined || !this.table.holds(mux, given.name)) {
        wipe(given);
        return schedules.seal.master?.close();
      }
      this.#take(present, given, windowSize, schedules);
      // The window may have another size by now: looked at again.
      present.version = 0;
    }).finally(() => this.#underWay.delete(tag));
    const others = this.#underWay.size === 1 ? undefined : this.#loading;
    this.#loading = Promise.all([others, arrived]);
  }

  #take(
    connection: Connection,
    given: HeldKeys,
    windowSize: number,
    schedules: SchedulePair,
  ): void {
    wipe(given);
    const { mux } = connection;
    const { fingerprint } = given;
    const replay = this.#windows.take(mux, fingerprint) ?? new ReplayWindow(
      windowSize,
      DEFAULT_MAX_SENDERS,
      this.#memory,
      this.#accepted?.of(mux, fingerprint),
      this.#floors?.floors.of(mux, fingerprint),
    );
    replay.resize(windowSize);
    replay.raise();
    const keys = new LoadedKeys(given, schedules, replay);
    connection.sets = [...connection.sets, keys];
  }

  readonly #dropIfRetired = (connection: Connection): void => {
    const { mux, version } = connection;
    // Every change moves it, and it is cheaper to look at than the rest.
    if (version === this.table.version(mux)) return;
    if (!this.table.exists(mux)) this.#forget(connection);
    else this.#retire(connection);
  };

  #forget(connection: Connection): void {
    this.#retire(connection);
    this.#known.set(connection.mux, undefined);
  }

  // A batch in work may hold keys that are out of use: they are closed when it
  // is done.
  #retire(connection: Connection): void {
    const { mux, sets } = connection;
    connection.version = 0;
    const isGone = ({ name }: LoadedKeys) => !this.table.holds(mux, name);
    if (!sets.some(isGone)) return;
    connection.sets = sets.filter((keys) => !isGone(keys));
    for (const keys of sets.filter(isGone)) {
      if (connection.keys === keys) connection.keys = undefined;
      this.#windows.keep(mux, keys.fingerprint, keys.replay, keys.isInWork);
      keys.retire();
    }
  }
}

function wipe({ secrets }: HeldKeys): void {
  secrets.key.fill(0);
}
