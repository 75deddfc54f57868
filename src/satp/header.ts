/**
 * The datagram: header, ciphertext, tag (SATP section 1). Integers are big
 * endian. Everything works on places in one memory, because that is how the
 * data plane holds packets.
 *
 * @module
 */

/** Bytes of the header: sequence number, sender id, mux. */
export const HEADER_BYTES = 8;

/** Bytes of the payload type, the first of the encrypted bytes. */
export const PAYLOAD_TYPE_BYTES = 2;

/**
 * The longest datagram that the original daemons take; what is longer they
 * cut, so that its tag fails (SATP section 5).
 */
export const MAX_DATAGRAM_BYTES = 1600;

/** Writes the eight header bytes at `at`. */
export function writeHeader(
  memory: Uint8Array,
  at: number,
  seq: number,
  senderId: number,
  mux: number,
): void {
  memory[at] = seq >>> 24;
  memory[at + 1] = seq >>> 16;
  memory[at + 2] = seq >>> 8;
  memory[at + 3] = seq;
  memory[at + 4] = senderId >>> 8;
  memory[at + 5] = senderId;
  memory[at + 6] = mux >>> 8;
  memory[at + 7] = mux;
}

/** The sequence number, 0 to 2^32 - 1. */
export function readSeq(memory: Uint8Array, at: number): number {
  return (byte(memory, at) * 0x1000000) +
    ((byte(memory, at + 1) << 16) | (byte(memory, at + 2) << 8) |
      byte(memory, at + 3));
}

/** The sender id, 0 to 65535. */
export function readSenderId(memory: Uint8Array, at: number): number {
  return readU16(memory, at + 4);
}

/** The mux, 0 to 65535. */
export function readMux(memory: Uint8Array, at: number): number {
  return readU16(memory, at + 6);
}

/** A big endian 16 bit number anywhere in the memory. */
export function readU16(memory: Uint8Array, at: number): number {
  return (byte(memory, at) << 8) | byte(memory, at + 1);
}

/** Writes a big endian 16 bit number. */
export function writeU16(memory: Uint8Array, at: number, value: number): void {
  memory[at] = value >>> 8;
  memory[at + 1] = value;
}

// Callers have checked the size; `?? 0` only tells the compiler so.
function byte(memory: Uint8Array, at: number): number {
  return memory[at] ?? 0;
}
