// Codec of single datagrams, for the library.
import { checkPayload, faultOf, type SatpBatchCodec } from "./batch_codec.ts";
import { SatpError } from "./errors.ts";
import { MAX_DATAGRAM_BYTES } from "./header.ts";

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
  readonly #batch: SatpBatchCodec;
  readonly #tagLength: number;

  /**
   * For those who bring a batch; others call `createSatpCodec()`.
   *
   * @param batch Used by nobody else
   * @param tagLength Bytes of its tags
   */
  constructor(batch: SatpBatchCodec, tagLength: number) {
    this.#batch = batch;
    this.#tagLength = tagLength;
  }

  /**
   * Seals a packet (SATP section 5): the datagram is 10 bytes and the tag
   * longer than the payload, at most 1600 bytes.
   *
   * @throws {SatpError} TOO_LONG if no peer would take the datagram;
   * BAD_PARAMETER if a number is out of range
   */
  seal(packet: PlainPacket): Promise<Uint8Array> {
    return new Promise((resolve) => resolve(this.#seal(packet)));
  }

  /**
   * Opens a datagram that the opposite role sealed (SATP section 6). It does
   * not look for replays: ask a `ReplayWindow` after it.
   *
   * @throws {SatpError} TOO_SHORT if there is no room for header, payload type
   * and tag; TOO_LONG above 1600 bytes; WRONG_TAG if it is not authentic
   */
  open(datagram: Uint8Array): Promise<OpenedPacket> {
    return new Promise((resolve) => resolve(this.#open(datagram)));
  }

  #seal({ seq, payloadType, payload }: PlainPacket): Uint8Array {
    checkUnsigned("seq", seq, 0xffffffff);
    checkUnsigned("payloadType", payloadType, 0xffff);
    checkPayload(payload.length, this.#tagLength);
    const batch = this.#batch;
    batch.seqs[0] = seq;
    batch.payloadTypes[0] = payloadType;
    batch.payloadSizes[0] = payload.length;
    batch.payloads[0]?.set(payload);
    batch.sealAll(1);
    return sliceOf(batch.datagrams, batch.datagramSizes);
  }

  #open(datagram: Uint8Array): OpenedPacket {
    const { length } = datagram;
    const fault = faultOf(length, this.#tagLength);
    if (fault !== null) {
      const limit = fault === "TOO_LONG"
        ? `: the limit is ${MAX_DATAGRAM_BYTES}`
        : "";
      throw new SatpError(
        fault,
        `Cannot open a datagram of ${length} bytes${limit}`,
      );
    }
    const batch = this.#batch;
    batch.datagrams[0]?.set(datagram);
    batch.datagramSizes[0] = length;
    if (batch.openAll(1) === 0) {
      throw new SatpError("WRONG_TAG", "Cannot open a datagram: wrong tag");
    }
    return {
      seq: batch.seqs[0] ?? 0,
      senderId: batch.senderIds[0] ?? 0,
      mux: batch.muxes[0] ?? 0,
      payloadType: batch.payloadTypes[0] ?? 0,
      payload: sliceOf(batch.payloads, batch.payloadSizes),
    };
  }
}

function sliceOf(
  [place = new Uint8Array()]: readonly Uint8Array[],
  [size = 0]: Uint32Array,
): Uint8Array {
  return place.slice(0, size);
}

function checkUnsigned(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new SatpError(
      "BAD_PARAMETER",
      `Cannot use ${name} ${value}: it must be 0 to ${max}`,
    );
  }
}
