// The datagram: header, ciphertext, tag (SATP section 1). Integers are big
// endian. The first of the encrypted bytes are the payload type.

/** Sequence number (4), sender id (2), mux (2). */
export const HEADER_BYTES = 8;

/** How many sequence numbers 4 bytes tell apart. */
export const SEQ_RANGE = 2 ** 32;

/** Place of the mux in the header. */
export const MUX_AT = 6;

export const PAYLOAD_TYPE_BYTES = 2;

/** The originals cut what is longer, so that its tag fails (SATP section 5). */
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
  return readU16(memory, at + MUX_AT);
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

/** Payload types: EtherType numbers in front of each packet (SATP section 1). */
export const PayloadType = {
  IPV4: 0x0800,
  IPV6: 0x86dd,
  ETHERNET: 0x6558,
} as const;

/** One of the three payload types. */
export type PayloadType = typeof PayloadType[keyof typeof PayloadType];

/** What the device carries: IP packets (tun) or Ethernet frames (tap). */
export type DeviceType = "tun" | "tap";

/**
 * @returns undefined for a packet of a tun device that is neither; it is not sent
 * (the originals send the type of the packet before)
 */
export function payloadTypeOf(firstByte: number): PayloadType | undefined {
  const version = firstByte >>> 4;
  if (version === 4) return PayloadType.IPV4;
  if (version === 6) return PayloadType.IPV6;
  return undefined;
}

export function acceptsPayload(device: DeviceType, type: number): boolean {
  return device === "tap"
    ? type === PayloadType.ETHERNET
    : type === PayloadType.IPV4 || type === PayloadType.IPV6;
}
