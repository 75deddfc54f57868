// Codec of many datagrams at once, for the library.
import type { DatagramBatch } from "./batch.ts";
import type { SyncCryptoEngine } from "./engine.ts";
import { SatpError, type SatpErrorCode } from "./errors.ts";
import {
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  PAYLOAD_TYPE_BYTES,
  readMux,
  readSenderId,
  readSeq,
  readU16,
  writeHeader,
  writeU16,
} from "./header.ts";
import type { KeySchedule, SchedulePair } from "./key_derivation.ts";
import { applyCipher, authenticateBatch, sealBatch } from "./pipeline.ts";

const HEADROOM_BYTES = HEADER_BYTES + PAYLOAD_TYPE_BYTES;

/**
 * Seals and opens many datagrams of one connection at once, in places of its own
 * that it uses again and again. Made by `createSatpBatchCodec`.
 *
 * What belongs to packet number i is at index i of the lists. Only the first ones,
 * as many as a call is told, are looked at.
 */
export class SatpBatchCodec {
  /** Length of each list. */
  readonly capacity: number;
  /** Places for datagrams of up to 1600 bytes. */
  readonly datagrams: readonly Uint8Array[];
  /** Places of their payloads: the same memory, from its 10th byte on. */
  readonly payloads: readonly Uint8Array[];
  /** Bytes of the datagrams: set by `sealAll()`, read by `openAll()`. */
  readonly datagramSizes: Uint32Array;
  /** Bytes of the payloads: read by `sealAll()`, set by `openAll()`. */
  readonly payloadSizes: Uint32Array;
  /** Sequence numbers. Never seal two packets with one. */
  readonly seqs: Uint32Array;
  /** 0x0800 (IPv4), 0x86dd (IPv6) or 0x6558 (Ethernet). */
  readonly payloadTypes: Uint16Array;
  /** Sender ids that `openAll()` found. */
  readonly senderIds: Uint16Array;
  /** Muxes that `openAll()` found; it does not compare them with its own. */
  readonly muxes: Uint16Array;
  /** Why `openAll()` refused a datagram: TOO_SHORT, TOO_LONG or WRONG_TAG. */
  readonly faults: (SatpErrorCode | null)[];

  readonly #engine: SyncCryptoEngine;
  readonly #batch: DatagramBatch;
  readonly #sealed: readonly KeySchedule[];
  readonly #opened: readonly KeySchedule[];
  readonly #mux: number;
  readonly #senderId: number;

  /**
   * For those who bring an engine; others call `createSatpBatchCodec()`.
   *
   * @param batch With a place of 1600 bytes for each datagram, in the memory of
   * `engine`
   * @param schedules Key schedules of both directions, made by `engine`
   * @param mux Mux of sealed datagrams, 0 to 65535
   * @param senderId Sender id of sealed datagrams, 0 to 65535
   */
  constructor(
    engine: SyncCryptoEngine,
    batch: DatagramBatch,
    schedules: SchedulePair,
    mux: number,
    senderId: number,
  ) {
    const { capacity, memory } = batch;
    this.capacity = capacity;
    this.datagrams = Array.from(
      batch.at,
      (at) => memory.subarray(at, at + MAX_DATAGRAM_BYTES),
    );
    this.payloads = this.datagrams.map((it) => it.subarray(HEADROOM_BYTES));
    this.datagramSizes = new Uint32Array(capacity);
    this.payloadSizes = new Uint32Array(capacity);
    this.seqs = new Uint32Array(capacity);
    this.payloadTypes = new Uint16Array(capacity);
    this.senderIds = new Uint16Array(capacity);
    this.muxes = new Uint16Array(capacity);
    this.faults = Array(capacity).fill(null);
    this.#engine = engine;
    this.#batch = batch;
    this.#sealed = Array(capacity).fill(schedules.seal);
    this.#opened = Array(capacity).fill(schedules.open);
    this.#mux = mux;
    this.#senderId = senderId;
  }

  /**
   * Seals the payloads (SATP section 5), of `seqs`, `payloadTypes` and
   * `payloadSizes`, where they lie. Each datagram is 10 bytes and the tag longer
   * than its payload.
   *
   * @param count Packets, 0 to `capacity`
   * @throws {SatpError} TOO_LONG if no peer would take one of the datagrams,
   * BAD_PARAMETER for another count; nothing is sealed then
   */
  sealAll(count: number): void {
    this.#checkCount(count);
    const batch = this.#batch;
    const { memory, params: { tagLength } } = batch;
    for (let i = 0; i < count; i++) {
      checkPayload(this.payloadSizes[i] ?? 0, tagLength);
    }
    batch.count = count;
    for (let i = 0; i < count; i++) {
      const at = batch.startOf(i);
      const size = HEADROOM_BYTES + (this.payloadSizes[i] ?? 0);
      writeHeader(memory, at, this.seqs[i] ?? 0, this.#senderId, this.#mux);
      writeU16(memory, at + HEADER_BYTES, this.payloadTypes[i] ?? 0);
      batch.size[i] = size;
      batch.wanted[i] = 1;
      this.datagramSizes[i] = size + tagLength;
    }
    try {
      sealBatch(this.#engine, batch, this.#sealed);
    } finally {
      batch.wipe();
    }
  }

  /**
   * Opens datagrams of `datagramSizes` that the opposite role sealed (SATP section
   * 6), where they lie. It does not look for replays: ask a `ReplayWindow` after
   * it. `faults` has null for those that are authentic; of the others nothing else
   * is set.
   *
   * @param count Datagrams, 0 to `capacity`
   * @returns How many are authentic
   * @throws {SatpError} BAD_PARAMETER for another count
   */
  openAll(count: number): number {
    this.#checkCount(count);
    const batch = this.#batch;
    batch.count = count;
    for (let i = 0; i < count; i++) this.#expect(i);
    try {
      authenticateBatch(this.#engine, batch, this.#opened);
      applyCipher(this.#engine, batch);
    } finally {
      batch.wipe();
    }
    let authentic = 0;
    for (let i = 0; i < count; i++) authentic += this.#take(i) ? 1 : 0;
    return authentic;
  }

  #expect(i: number): void {
    const batch = this.#batch;
    const { tagLength } = batch.params;
    const size = this.datagramSizes[i] ?? 0;
    const fault = faultOf(size, tagLength);
    this.faults[i] = fault;
    batch.size[i] = size - tagLength;
    batch.wanted[i] = fault === null ? 1 : 0;
  }

  #take(i: number): boolean {
    const batch = this.#batch;
    const { memory } = batch;
    if (batch.wanted[i] !== 1) {
      this.faults[i] ??= "WRONG_TAG";
      return false;
    }
    const at = batch.startOf(i);
    this.seqs[i] = readSeq(memory, at);
    this.senderIds[i] = readSenderId(memory, at);
    this.muxes[i] = readMux(memory, at);
    this.payloadTypes[i] = readU16(memory, at + HEADER_BYTES);
    this.payloadSizes[i] = batch.sizeOf(i) - HEADROOM_BYTES;
    return true;
  }

  #checkCount(count: number): void {
    if (Number.isInteger(count) && count >= 0 && count <= this.capacity) return;
    throw new SatpError(
      "BAD_PARAMETER",
      `Cannot use count ${count}: it must be 0 to ${this.capacity}`,
    );
  }
}

/** @throws {SatpError} TOO_LONG if no peer would take the datagram */
export function checkPayload(bytes: number, tagLength: number): void {
  const total = HEADROOM_BYTES + bytes + tagLength;
  if (total <= MAX_DATAGRAM_BYTES) return;
  throw new SatpError(
    "TOO_LONG",
    `Cannot seal ${bytes} bytes: the datagram would have ${total}, more than ${MAX_DATAGRAM_BYTES}`,
  );
}

/** What is wrong with the size of a datagram. */
export function faultOf(
  size: number,
  tagLength: number,
): "TOO_SHORT" | "TOO_LONG" | null {
  if (size < HEADROOM_BYTES + tagLength) return "TOO_SHORT";
  return size > MAX_DATAGRAM_BYTES ? "TOO_LONG" : null;
}
