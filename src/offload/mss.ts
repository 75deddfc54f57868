/**
 * Maximum segment size of TCP: a SYN says how long the segments may be that its
 * sender gets (RFC 9293 section 3.7.1). Who carries them may lower it to what
 * fits, so that none is too long.
 *
 * @module
 */

import {
  ipv6Transport,
  NO_TRANSPORT,
  placeOf,
  protocolOf,
} from "./extension_headers.ts";
import {
  changedChecksum,
  IPV4_BYTES,
  IPV6_BYTES,
  putU16,
  u16,
} from "./fields.ts";

/** No TCP or no SYN, or nothing that can be relied on. */
export const NO_SYN = -1;

/** Bytes of the headers in front of a segment, without options (RFC 6691). */
export const IPV4_TCP_BYTES = 40;
export const IPV6_TCP_BYTES = 60;

const TCP = 6;
const SYN = 0x02;

const TCP_SIZE = 20;
const TCP_SUM_AT = 16;
const TCP_FLAGS_AT = 13;

/** Version 4, and five words of header. */
const PLAIN_IPV4 = 0x45;
const PLAIN_FLAGS_AT = IPV4_BYTES + TCP_FLAGS_AT;

const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
const MSS = 2;
const MSS_BYTES = 4;

/**
 * Finds the TCP header of a SYN: of the first packet of a connection, or of the
 * answer to it. Of fragments only the first one has it.
 *
 * @param memory where the packet is
 * @param at where its IP header begins
 * @param end where it ends; nothing behind that is read
 * @returns where the TCP header begins, or {@linkcode NO_SYN}
 */
export function synAt(memory: Uint8Array, at: number, end: number): number {
  const first = memory[at] ?? 0;
  // Almost all packets are done here, with two bytes looked at: those of IPv4
  // without options that have no SYN where it would be.
  if (
    first === PLAIN_IPV4 && ((memory[at + PLAIN_FLAGS_AT] ?? 0) & SYN) === 0
  ) {
    return NO_SYN;
  }
  return anySynAt(memory, at, end, first);
}

function anySynAt(
  memory: Uint8Array,
  at: number,
  end: number,
  first: number,
): number {
  if (at + IPV4_BYTES + TCP_SIZE > end) return NO_SYN;
  let tcp: number;
  if (first >>> 4 === 4) {
    if (memory[at + 9] !== TCP) return NO_SYN;
    tcp = at + (first & 0x0f) * 4;
  } else if (first >>> 4 === 6) {
    const found = ipv6Transport(memory, at, end);
    if (found === NO_TRANSPORT || protocolOf(found) !== TCP) return NO_SYN;
    tcp = at + placeOf(found);
  } else return NO_SYN;
  return isSyn(memory, tcp, end) && isSound(memory, at, tcp, end)
    ? tcp
    : NO_SYN;
}

function isSyn(memory: Uint8Array, tcp: number, end: number): boolean {
  if (tcp + TCP_SIZE > end) return false;
  return ((memory[tcp + TCP_FLAGS_AT] ?? 0) & SYN) !== 0;
}

/** Whether the headers are whole, and no other fragment of it came first. */
function isSound(
  memory: Uint8Array,
  at: number,
  tcp: number,
  end: number,
): boolean {
  const isV4 = (memory[at] ?? 0) >>> 4 === 4;
  const said = at +
    (isV4 ? u16(memory, at + 2) : u16(memory, at + 4) + IPV6_BYTES);
  const payload = payloadAt(memory, tcp);
  if (said > end || payload > said || payload - tcp < TCP_SIZE) return false;
  if (!isV4) return true;
  return tcp - at >= IPV4_BYTES && (u16(memory, at + 6) & 0x1fff) === 0;
}

function payloadAt(memory: Uint8Array, tcp: number): number {
  return tcp + ((memory[tcp + 12] ?? 0) >>> 4) * 4;
}

/**
 * Lowers the MSS of a SYN. What is lower already stays, as do options that make
 * no sense, and all behind them. A SYN without the option stays as it is: its
 * sender expects 536 or 1220 bytes (RFC 9293 section 3.7.1).
 *
 * @param memory where the packet is, with its checksum complete
 * @param tcp of {@linkcode synAt}
 * @param most the highest MSS that is let through, in bytes
 * @returns whether it was higher
 */
export function lowerMss(
  memory: Uint8Array,
  tcp: number,
  most: number,
): boolean {
  const payload = payloadAt(memory, tcp);
  let isLowered = false;
  for (let at = tcp + TCP_SIZE; at < payload;) {
    const kind = memory[at];
    if (kind === END_OF_OPTIONS) break;
    if (kind === NO_OPERATION) {
      at++;
      continue;
    }
    const bytes = at + 1 < payload ? memory[at + 1] ?? 0 : 0;
    if (bytes < 2 || at + bytes > payload) break;
    if (kind === MSS && bytes === MSS_BYTES && u16(memory, at + 2) > most) {
      replace(memory, tcp, at + 2, most);
      isLowered = true;
    }
    at += bytes;
  }
  return isLowered;
}

/** Changes a field, and the checksum with it. */
function replace(
  memory: Uint8Array,
  tcp: number,
  at: number,
  value: number,
): void {
  const before = u16(memory, at);
  putU16(memory, at, value);
  // At an odd place it is summed with its bytes swapped (RFC 1071 section 2).
  const isOdd = ((at - tcp) & 1) !== 0;
  const old = isOdd ? swapped(before) : before;
  const present = isOdd ? swapped(value) : value;
  const checksum = u16(memory, tcp + TCP_SUM_AT);
  putU16(memory, tcp + TCP_SUM_AT, changedChecksum(checksum, old, present));
}

function swapped(value: number): number {
  return (value & 0xff) << 8 | value >>> 8;
}
