// Room that a path has for a datagram, by the MTU that the kernel tells.
import { MAX_DATAGRAM_BYTES } from "../satp/header.ts";

/** Of the path's own headers: IPv4 or IPv6, and UDP. */
const HEADER_BYTES = { 4: 20 + 8, 6: 40 + 8 } as const;

/**
 * Bytes of the longest datagram that passes the path in one piece, and that a
 * peer takes.
 *
 * @param mtu Of the path; 0 while it is unknown
 * @param family Of the endpoint; 0 while that is unknown
 */
export function roomOf(mtu: number, family: 0 | 4 | 6): number {
  if (mtu === 0 || family === 0) return MAX_DATAGRAM_BYTES;
  const room = Math.max(0, mtu - HEADER_BYTES[family]);
  return Math.min(room, MAX_DATAGRAM_BYTES);
}
