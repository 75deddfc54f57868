/**
 * Answers to packets that are too long: ICMP "fragmentation needed" (RFC 792,
 * RFC 1191) and ICMPv6 "packet too big" (RFC 4443 section 3.2).
 *
 * @module
 */

import {
  ipv6Transport,
  NO_TRANSPORT,
  placeOf,
  protocolOf,
} from "./extension_headers.ts";
import { IPV4_BYTES, IPV6_BYTES, MIN_IPV6_MTU, putU16, u16 } from "./fields.ts";

/** Bytes of the longest answer: no more than everybody takes, in a frame. */
export const TOO_BIG_BYTES: number = 18 + MIN_IPV6_MTU;

/** RFC 1812 section 4.3.2.3: of an answer over IPv4. */
const MAX_IPV4_ANSWER = 576;

const ICMP_SIZE = 8;
const HOP_LIMIT = 64;
/** Precedence 6, internetwork control (RFC 1812 section 4.3.2.5). */
const TYPE_OF_SERVICE = 0xc0;

const ICMP = 1;
const ICMPV6 = 58;
const UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
const PACKET_TOO_BIG = 2;
/** Unreachable, source quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12];
const FIRST_ICMPV6_REQUEST = 128;

/**
 * Whether a packet may not be cut on its way, and its sender may be told: not
 * about errors, nor where many could answer or nobody is known (RFC 1122
 * section 3.2.2, RFC 4443 section 2.4 e; of multicasts neither is told that
 * they are too long, though it would be allowed for IPv6).
 *
 * @param memory where the packet is
 * @param ip where its IP header begins
 * @param end where it ends; nothing behind that is read
 */
export function mayTellTooBig(
  memory: Uint8Array,
  ip: number,
  end: number,
): boolean {
  const version = (memory[ip] ?? 0) >>> 4;
  if (version === 4) return mayTellIpv4(memory, ip, end);
  return version === 6 && mayTellIpv6(memory, ip, end);
}

function mayTellIpv4(memory: Uint8Array, ip: number, end: number): boolean {
  const icmp = ip + ((memory[ip] ?? 0) & 0x0f) * 4;
  if (icmp < ip + IPV4_BYTES || icmp + ICMP_SIZE > end) return false;
  // "Don't fragment", and the first fragment if it is one.
  if ((u16(memory, ip + 6) & 0x5fff) !== 0x4000) return false;
  const source = memory[ip + 12] ?? 0;
  const isKnown = source !== 0 && source !== 127 && source < 224;
  if (!isKnown || (memory[ip + 16] ?? 0) >= 224) return false;
  return memory[ip + 9] !== ICMP || !ICMP_ERRORS.includes(memory[icmp] ?? 0);
}

function mayTellIpv6(memory: Uint8Array, ip: number, end: number): boolean {
  if (ip + IPV6_BYTES + ICMP_SIZE > end) return false;
  if (memory[ip + 8] === 0xff || memory[ip + 24] === 0xff) return false;
  if (isUnspecified(memory, ip + 8)) return false;
  const found = ipv6Transport(memory, ip, end);
  const transport = ip + placeOf(found);
  if (found === NO_TRANSPORT || transport + ICMP_SIZE > end) return false;
  return protocolOf(found) !== ICMPV6 ||
    (memory[transport] ?? 0) >= FIRST_ICMPV6_REQUEST;
}

function isUnspecified(memory: Uint8Array, at: number): boolean {
  for (let k = 0; k < 16; k++) if (memory[at + k] !== 0) return false;
  return true;
}

/**
 * Writes the answer. It comes from where the packet was to go, as those of
 * Linux's own tunnels do under a bridge: an address of this host would be
 * refused by a kernel that gets it over the device, and of any other its
 * filter of reverse paths would have to know.
 *
 * @param memory where the packet is, one that {@linkcode mayTellTooBig}
 * @param at where it begins, with an Ethernet header if it has one
 * @param ip where its IP header begins
 * @param end where it ends
 * @param mtu bytes of an IP packet that would fit
 * @param answer where it goes, {@linkcode TOO_BIG_BYTES} at the most
 * @param to where in `answer` it begins
 * @returns its size in bytes
 */
export function writeTooBig(
  memory: Uint8Array,
  at: number,
  ip: number,
  end: number,
  mtu: number,
  answer: Uint8Array,
  to: number,
): number {
  writeLink(memory, at, ip, answer, to);
  const network = to + ip - at;
  const isV4 = (memory[ip] ?? 0) >>> 4 === 4;
  const size = isV4
    ? writeIpv4(memory, ip, end, mtu, answer, network)
    : writeIpv6(memory, ip, end, mtu, answer, network);
  return network + size - to;
}

/** As the frame of the packet, the other way. */
function writeLink(
  memory: Uint8Array,
  at: number,
  ip: number,
  answer: Uint8Array,
  to: number,
): void {
  copy(answer, to, memory, at, ip - at);
  if (ip === at) return;
  copy(answer, to, memory, at + 6, 6);
  copy(answer, to + 6, memory, at, 6);
}

function writeIpv4(
  memory: Uint8Array,
  ip: number,
  end: number,
  mtu: number,
  answer: Uint8Array,
  to: number,
): number {
  const headers = IPV4_BYTES + ICMP_SIZE;
  const quoted = Math.min(end - ip, MAX_IPV4_ANSWER - headers);
  const icmp = to + IPV4_BYTES;
  answer.fill(0, to, to + headers);
  answer[to] = 0x45;
  answer[to + 1] = TYPE_OF_SERVICE;
  putU16(answer, to + 2, headers + quoted);
  answer[to + 8] = HOP_LIMIT;
  answer[to + 9] = ICMP;
  copy(answer, to + 12, memory, ip + 16, 4);
  copy(answer, to + 16, memory, ip + 12, 4);
  putU16(answer, to + 10, ~sum(answer, to, icmp, 0) & 0xffff);
  answer[icmp] = UNREACHABLE;
  answer[icmp + 1] = FRAGMENTATION_NEEDED;
  putU16(answer, icmp + 6, mtu);
  copy(answer, icmp + ICMP_SIZE, memory, ip, quoted);
  const stop = icmp + ICMP_SIZE + quoted;
  putU16(answer, icmp + 2, ~sum(answer, icmp, stop, 0) & 0xffff);
  return headers + quoted;
}

function writeIpv6(
  memory: Uint8Array,
  ip: number,
  end: number,
  mtu: number,
  answer: Uint8Array,
  to: number,
): number {
  const headers = IPV6_BYTES + ICMP_SIZE;
  const quoted = Math.min(end - ip, MIN_IPV6_MTU - headers);
  const icmp = to + IPV6_BYTES;
  answer.fill(0, to, to + headers);
  answer[to] = 0x60;
  putU16(answer, to + 4, ICMP_SIZE + quoted);
  answer[to + 6] = ICMPV6;
  answer[to + 7] = HOP_LIMIT;
  copy(answer, to + 8, memory, ip + 24, 16);
  copy(answer, to + 24, memory, ip + 8, 16);
  answer[icmp] = PACKET_TOO_BIG;
  putU16(answer, icmp + 6, mtu);
  copy(answer, icmp + ICMP_SIZE, memory, ip, quoted);
  // Of the pseudo-header (RFC 8200 section 8.1) the addresses lie in front.
  const stop = icmp + ICMP_SIZE + quoted;
  const pseudo = ICMPV6 + ICMP_SIZE + quoted;
  putU16(answer, icmp + 2, ~sum(answer, to + 8, stop, pseudo) & 0xffff);
  return headers + quoted;
}

/** RFC 1071; there are few answers, and it need not be fast. */
function sum(
  bytes: Uint8Array,
  at: number,
  end: number,
  seed: number,
): number {
  let total = seed;
  for (let k = at; k + 1 < end; k += 2) total += u16(bytes, k);
  if (((end - at) & 1) !== 0) total += (bytes[end - 1] ?? 0) << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

function copy(
  to: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  size: number,
): void {
  for (let k = 0; k < size; k++) to[at + k] = from[start + k] ?? 0;
}
