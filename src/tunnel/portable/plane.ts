// Portable data plane: two loops in the event loop of one thread, with any
// engine. Each takes what has come as one batch, and keeps its order.
import { SOCKADDR_WORDS } from "../../../ffi/net/sockaddr.ts";
import { DatagramBatch } from "../../satp/batch.ts";
import type { CryptoEngine } from "../../satp/engine.ts";
import type { SatpParameters } from "../../satp/params.ts";
import {
  applyCipher,
  authenticateBatch,
  sealBatch,
} from "../../satp/pipeline.ts";
import type { Endpoint } from "../../net/endpoint.ts";
import type { Connection } from "../connection.ts";
import { ConnectionCounter, count, PlaneCounter } from "../counters.ts";
import { readEndpoint, writeEndpoint } from "../endpoint_words.ts";
import { Inbound, type InboundOptions, type InboundParts } from "../inbound.ts";
import {
  HEADROOM_BYTES,
  Outbound,
  type OutboundOptions,
  type OutboundParts,
} from "../outbound.ts";
import type { PlaneLog } from "../plane_log.ts";
import type { DatagramSocket, PacketDevice } from "./edges.ts";

const BATCH_PACKETS = 32;

/** Bytes of a slot: more than the longest datagram, to notice longer ones. */
const SLOT_BYTES = 2048;

/** Where a send does not wait for room: the driver or the socket has none. */
const FULL: ReadonlySet<string> = new Set(["EAGAIN", "ENOBUFS"]);

export type BatchMaker = (
  params: SatpParameters,
  capacity: number,
  slotBytes: number,
) => DatagramBatch;

/** Bytes that the batches of a plane need in all, if they share a memory. */
export function portableBatchBytes(params: SatpParameters): number {
  return 3 * DatagramBatch.slottedBytes(params, BATCH_PACKETS, SLOT_BYTES);
}

/** What both directions need. */
export interface PortableParts extends InboundParts, OutboundParts {
  readonly log: PlaneLog;
  readonly engine: CryptoEngine;
  readonly device: PacketDevice;
  readonly sockets: readonly DatagramSocket[];
}

interface PortableOptions extends InboundOptions, OutboundOptions {
  readonly params: SatpParameters;
  readonly newBatch: BatchMaker;
}

export class PortablePlane {
  readonly #parts: PortableParts;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  /** Where datagrams wait while the batch before them is worked on. */
  readonly #waiting: DatagramBatch;
  readonly #waitingSizes = new Uint32Array(BATCH_PACKETS);
  readonly #waitingSources = new Uint32Array(BATCH_PACKETS * SOCKADDR_WORDS);
  #arrived = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();
  #receivers = 0;
  /** The batch that goes out. */
  #before: Promise<void> = Promise.resolve();

  constructor(parts: PortableParts, options: PortableOptions) {
    const { newBatch, params } = options;
    const batch = () => newBatch(params, BATCH_PACKETS, SLOT_BYTES);
    this.#parts = parts;
    this.#outbound = new Outbound(batch(), parts, options);
    this.#inbound = new Inbound(batch(), parts, options);
    this.#waiting = batch();
  }

  /** @throws if the device is gone or a socket fails */
  async run(): Promise<void> {
    const { sockets } = this.#parts;
    this.#receivers = sockets.length;
    await Promise.all([
      this.#carryOut(),
      this.#carryIn(),
      ...sockets.map((socket) => this.#receive(socket)),
    ]);
  }

  /** Sends to peers that are due for a datagram without payload. */
  async sendDue(): Promise<void> {
    const { due } = this.#parts.connections.table;
    const { batch } = this.#outbound;
    for (let mux = due.take(0); mux >= 0; mux = due.take(mux + 1)) {
      const at = mux;
      await this.#alone(async () => {
        batch.count = 1;
        await this.#seal((outbound) => outbound.addressEmpty(at));
        await this.#send();
      });
    }
  }

  async #carryOut(): Promise<void> {
    const { device } = this.#parts;
    const { batch } = this.#outbound;
    const sizes = new Uint32Array(BATCH_PACKETS);
    let isFull = false;
    while (await device.readable()) {
      do {
        await this.#alone(async () => {
          this.#readPackets(sizes);
          isFull = batch.count === batch.capacity;
          await this.#seal((outbound) => outbound.address(sizes));
          await this.#send();
        });
      } while (isFull);
    }
  }

  /** One batch after the other: there is one place for them. */
  async #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#before.then(work);
    this.#before = done.catch(() => {});
    await done;
  }

  async #seal(address: (outbound: Outbound) => void): Promise<void> {
    const outbound = this.#outbound;
    const { batch, schedules } = outbound;
    const { connections, engine } = this.#parts;
    try {
      while (connections.isBehind) await connections.catchUp();
      address(outbound);
      await sealBatch(engine, batch, schedules);
    } catch (error) {
      outbound.fail(error);
    } finally {
      outbound.release();
    }
  }

  #readPackets(sizes: Uint32Array): void {
    const { device } = this.#parts;
    const { batch } = this.#outbound;
    batch.count = 0;
    while (batch.count < batch.capacity) {
      const at = batch.at[batch.count] ?? 0;
      const slot = batch.memory.subarray(at + HEADROOM_BYTES, at + SLOT_BYTES);
      const size = device.read(slot);
      if (size === 0) return;
      sizes[batch.count++] = size;
    }
  }

  async #send(): Promise<void> {
    const { batch, connections } = this.#outbound;
    let to: Endpoint | undefined;
    let last: Connection | undefined;
    for (let i = 0; i < batch.count; i++) {
      const connection = connections[i];
      if (batch.wanted[i] !== 1 || connection === undefined) continue;
      if (connection !== last) to = readEndpoint(connection.endpoint, 0);
      last = connection;
      const at = batch.startOf(i);
      const end = at + batch.sizeOf(i) + batch.params.tagLength;
      if (to === undefined) {
        // It had one when the batch was addressed.
        count(connection.counters, ConnectionCounter.SEND_FAILED);
        continue;
      }
      await this.#sendTo(batch.memory.subarray(at, end), connection, to);
    }
  }

  async #sendTo(
    datagram: Uint8Array<ArrayBuffer>,
    connection: Connection,
    to: Endpoint,
  ): Promise<void> {
    const { sockets, log } = this.#parts;
    const { family } = to.address;
    const socket = sockets.find((socket) => socket.reaches(family));
    const failure = await socket?.send(datagram, to);
    if (socket !== undefined && failure === undefined) return;
    if (failure !== undefined && FULL.has(failure)) {
      return count(connection.counters, ConnectionCounter.SEND_DROPPED);
    }
    count(connection.counters, ConnectionCounter.SEND_FAILED);
    if (failure === undefined) log.noSocket(to);
    else log.sendFailed(connection, failure);
  }

  // A pending receive needs a place of its own: the batch that it began for
  // may be in work when the datagram comes.
  async #receive(socket: DatagramSocket): Promise<void> {
    const waiting = this.#waiting;
    const datagram = new Uint8Array(SLOT_BYTES);
    for (;;) {
      const received = await socket.receive(datagram);
      if (received === undefined) break;
      while (waiting.count === waiting.capacity) await this.#taken.promise;
      const i = waiting.count++;
      const { size, from } = received;
      waiting.memory.set(datagram.subarray(0, size), waiting.startOf(i));
      this.#waitingSizes[i] = size;
      writeEndpoint(this.#waitingSources, i * SOCKADDR_WORDS, from);
      this.#arrived.resolve();
    }
    this.#receivers--;
    this.#arrived.resolve();
  }

  async #carryIn(): Promise<void> {
    const sizes = new Uint32Array(BATCH_PACKETS);
    while (await this.#somethingWaits()) {
      this.#takeWaiting(sizes);
      await this.#open(sizes);
      this.#write();
    }
  }

  async #open(sizes: Uint32Array): Promise<void> {
    const { engine, connections } = this.#parts;
    const inbound = this.#inbound;
    const { batch, schedules } = inbound;
    try {
      while (connections.isBehind) await connections.catchUp();
      connections.raiseFloors();
      inbound.classify(sizes);
      do await authenticateBatch(engine, batch, schedules); while (
        inbound.retry()
      );
      inbound.judge();
      await applyCipher(engine, batch);
      inbound.unwrap();
    } catch (error) {
      inbound.fail(error);
    } finally {
      inbound.release();
    }
  }

  async #somethingWaits(): Promise<boolean> {
    while (this.#waiting.count === 0) {
      if (this.#receivers === 0) return false;
      await this.#arrived.promise;
    }
    return true;
  }

  #takeWaiting(sizes: Uint32Array): void {
    const { batch, places } = this.#inbound;
    const waiting = this.#waiting;
    const from = waiting.startOf(0);
    const used = waiting.count * SLOT_BYTES;
    batch.memory.set(
      waiting.memory.subarray(from, from + used),
      batch.startOf(0),
    );
    places.sources.set(this.#waitingSources);
    sizes.set(this.#waitingSizes);
    batch.count = waiting.count;
    waiting.count = 0;
    this.#arrived = Promise.withResolvers();
    this.#taken.resolve();
    this.#taken = Promise.withResolvers();
  }

  #write(): void {
    const { device } = this.#parts;
    const { batch } = this.#inbound;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const at = batch.startOf(i);
      const end = at + batch.sizeOf(i);
      const packet = batch.memory.subarray(at + HEADROOM_BYTES, end);
      if (!device.write(packet)) {
        count(this.#parts.counters, PlaneCounter.DEVICE_REFUSED);
        this.#parts.log.deviceRefused();
      }
    }
  }
}
