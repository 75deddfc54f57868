/**
 * Extension headers of IPv6 packets (RFC 8200 section 4).
 *
 * @module
 */

import { IPV6_BYTES, u16 } from "./fields.ts";

/** Extension headers by their numbers (RFC 8200 section 4.1). */
export const HOP_BY_HOP = 0;
export const ROUTING = 43;
export const FRAGMENT = 44;
export const DESTINATION_OPTIONS = 60;

const FRAGMENT_BYTES = 8;

/** Nobody needs more of them: one of each is recommended. */
const MAX_EXTENSION_HEADERS = 8;

/** Headers that are cut or too many, or in another fragment. */
export const NO_TRANSPORT = -1;

const PROTOCOL_BITS = 8;

/**
 * Walks over the extension headers of a packet, to what they stand in front of.
 *
 * @param memory where the packet is
 * @param ip where its IPv6 header begins
 * @param end where the packet ends; nothing behind that is read
 * @returns for {@linkcode protocolOf} and {@linkcode placeOf}, in one small number
 *   since objects are memory to take back; or {@linkcode NO_TRANSPORT}
 */
export function ipv6Transport(
  memory: Uint8Array,
  ip: number,
  end: number,
): number {
  let next = memory[ip + 6] ?? 0;
  let at = ip + IPV6_BYTES;
  for (let k = 0; k <= MAX_EXTENSION_HEADERS; k++) {
    const isFragment = next === FRAGMENT;
    const isOther = next !== HOP_BY_HOP && next !== ROUTING &&
      next !== DESTINATION_OPTIONS;
    if (isOther && !isFragment) return (at - ip) << PROTOCOL_BITS | next;
    if (at + 8 > end) return NO_TRANSPORT;
    if (isFragment && (u16(memory, at + 2) & 0xfff8) !== 0) return NO_TRANSPORT;
    next = memory[at] ?? 0;
    at += isFragment ? FRAGMENT_BYTES : ((memory[at + 1] ?? 0) + 1) * 8;
  }
  return NO_TRANSPORT;
}

/** @param found Of {@linkcode ipv6Transport} */
export function protocolOf(found: number): number {
  return found & (1 << PROTOCOL_BITS) - 1;
}

/**
 * @param found Of {@linkcode ipv6Transport}
 * @returns bytes behind the beginning of the IPv6 header
 */
export function placeOf(found: number): number {
  return found >>> PROTOCOL_BITS;
}
