/**
 * From the wire to the device, without the crypto and the system calls: the
 * checks of SATP section 6, in its order but for auto-detection, which comes
 * after the tag here.
 *
 * @module
 */
import type { DatagramBatch } from "../satp/batch.ts";
import {
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  readMux,
  readSenderId,
  readSeq,
  readU16,
} from "../satp/header.ts";
import { acceptsPayload, type DeviceType } from "../satp/payload.ts";
import type { KeySchedule } from "../satp/schedule.ts";
import type { Connection, Connections } from "./connection.ts";
import { ConnectionCounter, count, PlaneCounter } from "./counters.ts";
import {
  copyEndpoint,
  ENDPOINT_WORDS,
  sameEndpoint,
} from "./endpoint_words.ts";
import { HEADROOM_BYTES } from "./outbound.ts";

/**
 * After this time without an authentic datagram from the known endpoint, in
 * milliseconds, any authentic datagram may move it: a peer that was restarted
 * at another address counts from 0 again and must be found.
 */
export const ENDPOINT_SILENCE_MS = 5000;

/** What somebody may want to log; the implementation limits the rate. */
export interface InboundEvents {
  wrongTag(connection: Connection): void;
  replay(connection: Connection, seq: number, senderId: number): void;
  /** The peer was heard for the first time, or from another endpoint. */
  endpointChanged(connection: Connection, first: boolean): void;
}

/** What is the same for all datagrams. */
export interface InboundOptions {
  readonly connections: Connections;
  readonly deviceType: DeviceType;
  readonly counters: Float64Array;
  readonly events: InboundEvents;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** Judges one batch of datagrams after the other. */
export class Inbound {
  /** The datagrams as received. */
  readonly batch: DatagramBatch;
  /** Where each came from: {@link ENDPOINT_WORDS} words each. */
  readonly sources: Uint32Array;
  /** The schedule of each datagram, null where it is dropped. */
  readonly schedules: (KeySchedule | null)[];
  readonly #options: InboundOptions;
  readonly #connections: (Connection | undefined)[];

  constructor(batch: DatagramBatch, options: InboundOptions) {
    this.batch = batch;
    this.#options = options;
    this.sources = new Uint32Array(batch.capacity * ENDPOINT_WORDS);
    this.schedules = new Array(batch.capacity).fill(null);
    this.#connections = new Array(batch.capacity).fill(undefined);
  }

  /**
   * Finds the connection of the first `batch.count` datagrams; what has none
   * is not wanted. Authentication comes next.
   *
   * @param sizes Bytes of each datagram
   */
  classify(sizes: Uint32Array): void {
    const { batch } = this;
    for (let i = 0; i < batch.count; i++) this.#classify(i, sizes[i] ?? 0);
  }

  /**
   * Looks at the datagrams whose tags were checked: replays are dropped, the
   * others may move the endpoint. Decryption comes next.
   */
  judge(): void {
    const { batch } = this;
    const now = this.#options.now();
    for (let i = 0; i < batch.count; i++) {
      const connection = this.#connections[i];
      if (connection === undefined) continue;
      if (batch.wanted[i] !== 1) {
        count(connection.counters, ConnectionCounter.WRONG_TAG);
        this.#options.events.wrongTag(connection);
        continue;
      }
      batch.wanted[i] = this.#judge(connection, i, now) ? 1 : 0;
    }
  }

  /**
   * Looks at the payload types of the decrypted datagrams. Afterwards each
   * wanted one holds a packet for the device, {@link HEADROOM_BYTES} behind
   * its `at` and that much shorter than its `size`.
   */
  unwrap(): void {
    const { batch } = this;
    const { deviceType } = this.#options;
    for (let i = 0; i < batch.count; i++) {
      const connection = this.#connections[i];
      if (batch.wanted[i] !== 1 || connection === undefined) continue;
      const type = readU16(batch.memory, (batch.at[i] ?? 0) + HEADER_BYTES);
      if (acceptsPayload(deviceType, type)) {
        count(connection.counters, ConnectionCounter.PACKETS_IN);
        count(
          connection.counters,
          ConnectionCounter.BYTES_IN,
          (batch.size[i] ?? 0) - HEADROOM_BYTES,
        );
        continue;
      }
      batch.wanted[i] = 0;
      count(connection.counters, ConnectionCounter.WRONG_PAYLOAD_TYPE);
    }
  }

  #classify(i: number, size: number): void {
    const { batch } = this;
    const { connections, counters } = this.#options;
    const { tagLength } = batch.params;
    batch.wanted[i] = 0;
    this.schedules[i] = null;
    this.#connections[i] = undefined;
    if (size < HEADER_BYTES + tagLength) {
      return count(counters, PlaneCounter.TOO_SHORT_IN);
    }
    if (size > MAX_DATAGRAM_BYTES) {
      return count(counters, PlaneCounter.TOO_LONG_IN);
    }
    const connection = connections.get(readMux(batch.memory, batch.at[i] ?? 0));
    if (connection?.schedules === undefined) {
      return count(counters, PlaneCounter.UNKNOWN_MUX);
    }
    batch.size[i] = size - tagLength;
    batch.wanted[i] = 1;
    this.schedules[i] = connection.schedules.open;
    this.#connections[i] = connection;
  }

  #judge(connection: Connection, i: number, now: number): boolean {
    const { batch } = this;
    const at = batch.at[i] ?? 0;
    const seq = readSeq(batch.memory, at);
    const senderId = readSenderId(batch.memory, at);
    const before = connection.replay.highest(senderId);
    if (!connection.replay.accept(senderId, seq)) {
      count(connection.counters, ConnectionCounter.REPLAYED);
      this.#options.events.replay(connection, seq, senderId);
      return false;
    }
    const source = i * ENDPOINT_WORDS;
    if (sameEndpoint(connection.endpoint, 0, this.sources, source)) {
      connection.heardAt = now;
    } else {
      const newest = connection.replay.highest(senderId) !== before;
      const moved = this.#roam(connection, source, newest, now);
      if (moved && !newest) connection.replay.restart(senderId, seq);
    }
    if ((batch.size[i] ?? 0) > HEADROOM_BYTES) return true;
    count(connection.counters, ConnectionCounter.NO_PAYLOAD);
    return false;
  }

  // Only the newest datagram of a sender moves the endpoint: with window 0 an
  // old one sent again from elsewhere is authentic too (SATP section 7).
  #roam(
    connection: Connection,
    source: number,
    newest: boolean,
    now: number,
  ): boolean {
    const first = !connection.hasEndpoint;
    const silent = now - connection.heardAt >= ENDPOINT_SILENCE_MS;
    if (!first && !newest && !silent) return false;
    connection.heardAt = now;
    copyEndpoint(this.sources, source, connection.endpoint, 0);
    this.#options.connections.table.setEndpoint(
      connection.mux,
      this.sources,
      source,
    );
    this.#options.events.endpointChanged(connection, first);
    return true;
  }
}
