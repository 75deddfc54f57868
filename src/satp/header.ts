/**
 * The datagram: header, ciphertext, tag (SATP section 1). Integers are big
 * endian. The first of the encrypted bytes are the payload type.
 *
 * @module
 */

/** Sequence number (4), sender id (2), mux (2). */
export const HEADER_BYTES = 8;

export const PAYLOAD_TYPE_BYTES = 2;

/**
 * The longest datagram that the original daemons take; what is longer they
 * cut, so that its tag fails (SATP section 5).
 */
export const MAX_DATAGRAM_BYTES = 1600;

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

export function readSeq(memory: Uint8Array, at: number): number {
  return (byte(memory, at) * 0x1000000) +
    ((byte(memory, at + 1) << 16) | (byte(memory, at + 2) << 8) |
      byte(memory, at + 3));
}

export function readSenderId(memory: Uint8Array, at: number): number {
  return readU16(memory, at + 4);
}

export function readMux(memory: Uint8Array, at: number): number {
  return readU16(memory, at + 6);
}

export function readU16(memory: Uint8Array, at: number): number {
  return (byte(memory, at) << 8) | byte(memory, at + 1);
}

export function writeU16(memory: Uint8Array, at: number, value: number): void {
  memory[at] = value >>> 8;
  memory[at + 1] = value;
}

// Callers have checked the size.
function byte(memory: Uint8Array, at: number): number {
  return memory[at] ?? 0;
}
