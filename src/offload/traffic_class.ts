// Class of traffic in IP headers: six bits of DSCP (RFC 2474), two of ECN
// (RFC 3168).

import {
  changedChecksum,
  IPV4_BYTES,
  IPV6_BYTES,
  putU16,
  u16,
} from "./fields.ts";

/** Of the class: what routers on the way say of congestion. */
export const ECN_MASK = 3;

/** The sender does not know of ECN: in place of a mark there is a loss. */
const NOT_ECT = 0;
/** ECT(1), which is the lesser mark of two (RFC 6040 section 4.2). */
const ECT_1 = 1;
const ECT_0 = 2;
/** Congestion experienced. */
const CE = 3;

/** What {@link trafficClass} says of what is no whole IP header. */
export const NO_CLASS = -1;

/** @param end Of the packet that begins at `ip` */
export function trafficClass(
  memory: Uint8Array,
  ip: number,
  end: number,
): number {
  const first = memory[ip] ?? 0;
  const second = memory[ip + 1] ?? 0;
  switch (first >>> 4) {
    case 4:
      return ip + IPV4_BYTES <= end ? second : NO_CLASS;
    case 6:
      return ip + IPV6_BYTES <= end
        ? (first << 4 | second >>> 4) & 0xff
        : NO_CLASS;
    default:
      return NO_CLASS;
  }
}

/** Sets the ECN of a whole header, and mends the checksum that IPv4 has. */
export function setEcn(memory: Uint8Array, ip: number, ecn: number): void {
  const first = memory[ip] ?? 0;
  const second = memory[ip + 1] ?? 0;
  if (first >>> 4 === 6) {
    memory[ip + 1] = second & ~(ECN_MASK << 4) | ecn << 4;
    return;
  }
  const changed = second & ~ECN_MASK | ecn;
  memory[ip + 1] = changed;
  const before = first << 8 | second;
  const after = first << 8 | changed;
  const checksum = changedChecksum(u16(memory, ip + 10), before, after);
  putU16(memory, ip + 10, checksum);
}

/** In place of an ECN: the packet is to be dropped. */
export const DROP = -1;

/**
 * What the packet inside has after the tunnel (RFC 6040 section 4.2, figure 4).
 *
 * @returns {@link DROP} where it met congestion, and its sender would not know
 */
export function combinedEcn(inner: number, outer: number): number {
  if (outer === CE) return inner === NOT_ECT ? DROP : CE;
  if (outer === ECT_1 && inner === ECT_0) return ECT_1;
  return inner;
}
