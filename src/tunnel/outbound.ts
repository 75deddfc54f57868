// Connection, sequence number and header of what goes out (SATP section 5).
import type { DatagramBatch } from "../satp/batch.ts";
import {
  type DeviceType,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  PAYLOAD_TYPE_BYTES,
  PayloadType,
  payloadTypeOf,
  SEQ_RANGE,
  writeHeader,
  writeU16,
} from "../satp/header.ts";
import type { KeySchedule } from "../satp/key_derivation.ts";
import type { Connection, Connections } from "./connection.ts";
import { type LoadedKeys, PinnedKeys } from "./loaded_keys.ts";
import { type ConnectionTable, Notice } from "./connection_table.ts";
import { ConnectionCounter, count, PlaneCounter } from "./counters.ts";
import { SenderIds, SPENT, STALE } from "./numbers.ts";
import type { LiveSettings } from "./live_settings.ts";
import type { PacketRouter } from "./packet_router.ts";
import type { MtuDiscovery } from "./settings.ts";
import { SynClamp } from "./syn_clamp.ts";
import { type AnswerPlace, TooBig } from "./too_big.ts";
import { OuterClass } from "./traffic_class.ts";

/** Bytes in front of a packet that become header and payload type. */
export const HEADROOM_BYTES = HEADER_BYTES + PAYLOAD_TYPE_BYTES;

/** What somebody may want to log; the implementation limits the rate. */
export interface OutboundEvents {
  /** There is no connection for a packet, or it has no endpoint. */
  nowhereToSend(
    connection: Connection | undefined,
    memory: Uint8Array,
    at: number,
    size: number,
  ): void;
  /** Half of the numbers of the last sender id are used: once for these keys. */
  numbersLow(connection: Connection, senderId: number): void;
  /** All numbers are used, nothing more is sent: once for these keys. */
  numbersSpent(connection: Connection, senderId: number): void;
  batchFailed(error: unknown): void;
}

/** Of the parts of a plane those that it shares with others. */
export interface OutboundParts {
  readonly connections: Connections;
  /** The plane's. */
  readonly counters: Float64Array;
  readonly live: LiveSettings;
  readonly log: OutboundEvents;
}

export interface OutboundOptions {
  readonly router: PacketRouter;
  readonly deviceType: DeviceType;
  /** One after the other; see {@link SenderIds}. */
  readonly senderIds: readonly number[];
  readonly allowWrap: boolean;
  /** With "no", which is the default, the kernel and routers cut datagrams. */
  readonly mtuDiscovery?: MtuDiscovery | undefined;
  /** Without one nobody is told that packets are too long. */
  readonly answers?: AnswerPlace | undefined;
}

export class Outbound {
  /** The packets; each lies {@link HEADROOM_BYTES} behind its `at`. */
  readonly batch: DatagramBatch;
  /** The schedule of each packet, null where it is dropped. */
  readonly schedules: (KeySchedule | null)[];
  readonly connections: (Connection | undefined)[];
  /** Class of traffic of each datagram. */
  readonly classes: Uint8Array;
  readonly #parts: OutboundParts;
  readonly #options: OutboundOptions;
  readonly #pinned = new PinnedKeys();
  readonly #senderIds: SenderIds;
  readonly #clamp: SynClamp;
  readonly #outerClass: OuterClass;
  readonly #tooBig: TooBig | undefined;
  /** Of a datagram in front of and behind the packet. */
  readonly #overhead: number;
  /** Whether packets must fit the path. */
  readonly #obeysPath: boolean;
  /** Bytes of the longest packet that fits into a datagram. */
  readonly maxPacket: number;

  constructor(
    batch: DatagramBatch,
    parts: OutboundParts,
    options: OutboundOptions,
  ) {
    const { answers, deviceType, mtuDiscovery = "no" } = options;
    this.batch = batch;
    this.#parts = parts;
    this.#options = options;
    this.#senderIds = new SenderIds(options.senderIds, options.allowWrap);
    this.schedules = new Array(batch.capacity).fill(null);
    this.connections = new Array(batch.capacity).fill(undefined);
    this.classes = new Uint8Array(batch.capacity);
    this.#outerClass = new OuterClass(parts.live, deviceType);
    const overhead = HEADROOM_BYTES + batch.params.tagLength;
    this.#overhead = overhead;
    this.#obeysPath = mtuDiscovery !== "no";
    this.#tooBig = answers && new TooBig(deviceType, parts.counters, answers);
    this.maxPacket = MAX_DATAGRAM_BYTES - overhead;
    this.#clamp = new SynClamp(parts, deviceType, overhead);
  }

  get table(): ConnectionTable {
    return this.#parts.connections.table;
  }

  /** Sealing comes next, and then {@link release}. */
  address(sizes: Uint32Array): void {
    const { batch } = this;
    this.#options.router.begin();
    this.#clamp.begin();
    this.#outerClass.begin();
    for (let i = 0; i < batch.count; i++) this.#address(i, sizes[i] ?? 0);
    this.#number();
  }

  /** Drops a packet that fits no datagram. */
  refuse(memory: Uint8Array, at: number, size: number): void {
    this.#tooBig?.refuses(memory, at, size, this.maxPacket);
    count(this.#parts.counters, PlaneCounter.TOO_LONG_OUT);
  }

  /**
   * Of a batch of one: a datagram without payload for the peer of a connection,
   * if it can be sent anything. It is authentic, and says where this end is
   * (SATP section 7). Sealing comes next, and then {@link release}.
   */
  addressEmpty(mux: number): void {
    const { batch } = this;
    const to = this.#parts.connections.get(mux);
    batch.wanted[0] = 0;
    this.schedules[0] = null;
    this.connections[0] = undefined;
    if (to?.keys === undefined || !to.hasEndpoint) return;
    const number = this.#reserve(to, 1);
    if (number < 0) return;
    const type = this.#options.deviceType === "tap"
      ? PayloadType.ETHERNET
      : PayloadType.IPV4;
    writeU16(batch.memory, batch.startOf(0) + HEADER_BYTES, type);
    batch.size[0] = HEADROOM_BYTES;
    batch.wanted[0] = 1;
    this.connections[0] = to;
    this.#outerClass.begin();
    this.classes[0] = this.#outerClass.fixed;
    this.#writeHeaders(to, to.keys, number, 0, 1);
    count(to.counters, ConnectionCounter.KEEPALIVES_OUT);
  }

  /** Gives up what is left of the batch: an error costs no more than that. */
  fail(error: unknown): void {
    const { counters, log } = this.#parts;
    const lost = Math.max(1, this.batch.dropAll());
    count(counters, PlaneCounter.INTERNAL_ERROR, lost);
    log.batchFailed(error);
  }

  /** Lets go of the keys; to be called for each batch, whatever came of it. */
  release(): void {
    this.#pinned.release();
  }

  #address(i: number, size: number): void {
    const { batch } = this;
    const { router } = this.#options;
    const { counters, log } = this.#parts;
    const at = batch.startOf(i);
    batch.wanted[i] = 0;
    this.schedules[i] = null;
    this.connections[i] = undefined;
    if (size > this.maxPacket) {
      return this.refuse(batch.memory, at + HEADROOM_BYTES, size);
    }
    const type = this.#payloadType(at + HEADROOM_BYTES, size);
    if (type === undefined) return count(counters, PlaneCounter.MALFORMED_OUT);
    const to = router.route(batch.memory, at + HEADROOM_BYTES, size);
    if (to?.keys === undefined || !to.hasEndpoint) {
      log.nowhereToSend(to, batch.memory, at + HEADROOM_BYTES, size);
      return count(counters, PlaneCounter.NOWHERE_TO_SEND);
    }
    if (this.#obeysPath && this.#exceedsPath(to, at + HEADROOM_BYTES, size)) {
      return count(counters, PlaneCounter.TOO_LONG_OUT);
    }
    this.#clamp.look(batch.memory, at + HEADROOM_BYTES, size, to);
    writeU16(batch.memory, at + HEADER_BYTES, type);
    batch.size[i] = HEADROOM_BYTES + size;
    batch.wanted[i] = 1;
    this.connections[i] = to;
    this.classes[i] = this.#outerClass
      .of(batch.memory, at + HEADROOM_BYTES, size);
  }

  #exceedsPath({ pathRoom }: Connection, at: number, size: number): boolean {
    const room = pathRoom - this.#overhead;
    if (size <= room) return false;
    return this.#tooBig?.refuses(this.batch.memory, at, size, room) ?? false;
  }

  // The originals do not send a packet of one byte either.
  #payloadType(at: number, size: number): PayloadType | undefined {
    if (size < 2) return undefined;
    return this.#options.deviceType === "tap"
      ? PayloadType.ETHERNET
      : payloadTypeOf(this.batch.memory[at] ?? 0);
  }

  // Takes the numbers of neighbours of one connection at once.
  #number(): void {
    const { batch, connections } = this;
    for (let first = 0; first < batch.count;) {
      const connection = connections[first];
      let end = first + 1;
      while (end < batch.count && connections[end] === connection) end++;
      if (connection !== undefined) this.#numberRun(connection, first, end);
      first = end;
    }
  }

  #numberRun(connection: Connection, first: number, end: number): void {
    const { batch } = this;
    const { counters, connections } = this.#parts;
    const number = this.#reserve(connection, end - first);
    const { keys } = connection;
    if (number === SPENT) {
      // Or held back, which whoever moves the ceiling tells of.
      if (connections.table.isSpent(connection.mux, this.#senderIds.limit)) {
        this.#watchNumbers(connection, Notice.NUMBERS_SPENT);
      }
    } else if (number + end - first > this.#senderIds.lowAt) {
      this.#watchNumbers(connection, Notice.NUMBERS_LOW);
    }
    if (number < 0 || keys === undefined) {
      batch.wanted.fill(0, first, end);
      const why = number === SPENT
        ? PlaneCounter.OUT_OF_NUMBERS
        : PlaneCounter.NOWHERE_TO_SEND;
      return count(counters, why, end - first);
    }
    this.#writeHeaders(connection, keys, number, first, end);
    let bytes = 0;
    for (let i = first; i < end; i++) bytes += batch.sizeOf(i) - HEADROOM_BYTES;
    count(connection.counters, ConnectionCounter.PACKETS_OUT, end - first);
    count(connection.counters, ConnectionCounter.BYTES_OUT, bytes);
  }

  /** @param number Of the first one */
  #writeHeaders(
    connection: Connection,
    keys: LoadedKeys,
    number: number,
    first: number,
    end: number,
  ): void {
    const { batch } = this;
    this.#pinned.add(keys);
    const { seal } = keys.schedules;
    const mux = this.#options.router.headerMux(connection);
    const generation = Math.floor(number / SEQ_RANGE);
    const senderId = this.#senderIds.of(generation);
    const nextId = this.#senderIds.of(generation + 1);
    const turn = first + (generation + 1) * SEQ_RANGE - number;
    for (let i = first; i < end; i++) {
      const at = batch.startOf(i);
      const seq = (number + i - first) >>> 0;
      writeHeader(batch.memory, at, seq, i < turn ? senderId : nextId, mux);
      this.schedules[i] = seal;
    }
  }

  // The keys may change between looking and taking: then the packets go out
  // under the new ones. In the middle of a change there may be no numbers, and
  // who makes it may have to wait for its processor: it is waited for.
  #reserve(connection: Connection, count: number): number {
    const { connections } = this.#parts;
    const { table } = connections;
    const { limit } = this.#senderIds;
    const { mux } = connection;
    for (;;) {
      const { keys, epoch, version } = connection;
      if (keys === undefined) return STALE;
      const number = table.reserve(mux, epoch, count, limit);
      if (number >= 0) return number;
      const isFinal = number === SPENT
        ? table.settledVersion(mux) === version
        : table.epoch(mux) === epoch;
      if (isFinal) return number;
      connections.renew(connection);
      if (number === STALE && connection.epoch === epoch) return STALE;
    }
  }

  #watchNumbers(connection: Connection, notice: Notice): void {
    const { connections: { table }, log } = this.#parts;
    const { last } = this.#senderIds;
    const { mux, epoch } = connection;
    if (!table.firstNotice(mux, epoch, notice)) return;
    if (notice === Notice.NUMBERS_LOW) log.numbersLow(connection, last);
    else log.numbersSpent(connection, last);
  }
}
