/**
 * Fields of packet headers, which are in network order, and what several
 * readers of headers have to know of IPv4 (RFC 791) and IPv6 (RFC 8200).
 *
 * @module
 */

/** Bytes of the headers without options and extension headers. */
export const IPV4_BYTES = 20;
export const IPV6_BYTES = 40;

/** The least that every path takes in one piece (RFC 791, RFC 8200). */
export const MIN_IPV4_MTU = 68;
export const MIN_IPV6_MTU = 1280;

export function u16(memory: Uint8Array, at: number): number {
  return (memory[at] ?? 0) << 8 | (memory[at + 1] ?? 0);
}

export function putU16(memory: Uint8Array, at: number, value: number): void {
  memory[at] = value >>> 8;
  memory[at + 1] = value & 0xff;
}

/**
 * The checksum once 16 bits of what it covers have changed (RFC 1624 equation
 * 3).
 *
 * @param checksum as it stands in the header
 */
export function changedChecksum(
  checksum: number,
  before: number,
  after: number,
): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
