// Codec of single datagrams, for the library.
import { DatagramBatch } from "./batch.ts";
import type { CryptoEngine } from "./engine.ts";
import { SatpError } from "./errors.ts";
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
import type { SatpParameters } from "./params.ts";
import { applyCipher, authenticateBatch, sealBatch } from "./pipeline.ts";
import type { SchedulePair } from "./key_derivation.ts";

/** What {@link SatpCodec.seal} puts into a datagram. */
export interface PlainPacket {
  /** Sequence number, 0 to 2^32 - 1. Never use one twice with the same key. */
  readonly seq: number;
  /** 0x0800 (IPv4), 0x86dd (IPv6) or 0x6558 (Ethernet). */
  readonly payloadType: number;
  /** The packet or frame, without padding. */
  readonly payload: Uint8Array;
}

/** What {@link SatpCodec.open} found in a datagram. */
export interface OpenedPacket extends PlainPacket {
  /** Sender id, 0 to 65535. */
  readonly senderId: number;
  /** Mux, 0 to 65535; the codec does not compare it with its own. */
  readonly mux: number;
}

/** Seals and opens datagrams of one connection. Made by `createSatpCodec`. */
export class SatpCodec {
  readonly #engine: CryptoEngine;
  readonly #params: SatpParameters;
  readonly #schedules: SchedulePair;
  readonly #mux: number;
  readonly #senderId: number;

  /**
   * For those who bring an engine; others call `createSatpCodec()`.
   *
   * @param params Effective parameters
   * @param schedules Key schedules of both directions, made by `engine`
   * @param mux Mux of sealed datagrams, 0 to 65535
   * @param senderId Sender id of sealed datagrams, 0 to 65535
   */
  constructor(
    engine: CryptoEngine,
    params: SatpParameters,
    schedules: SchedulePair,
    mux: number,
    senderId: number,
  ) {
    this.#engine = engine;
    this.#params = params;
    this.#schedules = schedules;
    this.#mux = mux;
    this.#senderId = senderId;
  }

  /**
   * Seals a packet (SATP section 5): the datagram is 10 bytes and the tag
   * longer than the payload, at most 1600 bytes.
   *
   * @throws {SatpError} TOO_LONG if no peer would take the datagram;
   * BAD_PARAMETER if a number is out of range
   */
  async seal(packet: PlainPacket): Promise<Uint8Array> {
    const { seq, payloadType, payload } = packet;
    checkUnsigned("seq", seq, 0xffffffff);
    checkUnsigned("payloadType", payloadType, 0xffff);
    const size = HEADER_BYTES + PAYLOAD_TYPE_BYTES + payload.length;
    const total = size + this.#params.tagLength;
    if (total > MAX_DATAGRAM_BYTES) {
      throw new SatpError(
        "TOO_LONG",
        `Cannot seal ${payload.length} bytes: the datagram would have ${total}, more than ${MAX_DATAGRAM_BYTES}`,
      );
    }
    const batch = this.#single(size);
    const { memory } = batch;
    const at = batch.startOf(0);
    writeHeader(memory, at, seq, this.#senderId, this.#mux);
    writeU16(memory, at + HEADER_BYTES, payloadType);
    memory.set(payload, at + HEADER_BYTES + PAYLOAD_TYPE_BYTES);
    await sealBatch(this.#engine, batch, [this.#schedules.seal]);
    const datagram = memory.slice(at, at + total);
    batch.wipe();
    return datagram;
  }

  /**
   * Opens a datagram that the opposite role sealed (SATP section 6). It does
   * not look for replays: ask a `ReplayWindow` after it.
   *
   * @throws {SatpError} TOO_SHORT if there is no room for header, payload type
   * and tag; TOO_LONG above 1600 bytes; WRONG_TAG if it is not authentic
   */
  async open(datagram: Uint8Array): Promise<OpenedPacket> {
    const size = datagram.length - this.#params.tagLength;
    if (size < HEADER_BYTES + PAYLOAD_TYPE_BYTES) {
      throw new SatpError(
        "TOO_SHORT",
        `Cannot open a datagram of ${datagram.length} bytes`,
      );
    }
    if (datagram.length > MAX_DATAGRAM_BYTES) {
      throw new SatpError(
        "TOO_LONG",
        `Cannot open a datagram of ${datagram.length} bytes: the limit is ${MAX_DATAGRAM_BYTES}`,
      );
    }
    const batch = this.#single(size);
    const { memory } = batch;
    const at = batch.startOf(0);
    memory.set(datagram, at);
    await authenticateBatch(this.#engine, batch, [this.#schedules.open]);
    if (batch.wanted[0] !== 1) {
      throw new SatpError("WRONG_TAG", "Cannot open a datagram: wrong tag");
    }
    await applyCipher(this.#engine, batch);
    batch.wipe();
    return {
      seq: readSeq(memory, at),
      senderId: readSenderId(memory, at),
      mux: readMux(memory, at),
      payloadType: readU16(memory, at + HEADER_BYTES),
      payload: memory.slice(at + HEADER_BYTES + PAYLOAD_TYPE_BYTES, at + size),
    };
  }

  #single(size: number): DatagramBatch {
    const batch = DatagramBatch.standalone(
      this.#params,
      1,
      size + this.#params.tagLength,
    );
    batch.count = 1;
    batch.size[0] = size;
    batch.wanted[0] = 1;
    return batch;
  }
}

function checkUnsigned(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new SatpError(
      "BAD_PARAMETER",
      `Cannot use ${name} ${value}: it must be 0 to ${max}`,
    );
  }
}
