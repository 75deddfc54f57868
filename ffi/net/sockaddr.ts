// Addresses of UDP sockets in memory: struct sockaddr_in (ip(7)) and
// struct sockaddr_in6 (ipv6(7)). Where no address is known all words are 0.
//
// Local addresses, those of this host that datagrams come to and leave from, have
// no port: an IPv6 address, or an IPv4 address and zeros behind it. All words are
// 0 where it is for the kernel to choose.

import { AF } from "../flags.ts";
/** Enough for either family. */
export const SOCKADDR_SIZE = 28;

export const SOCKADDR_WORDS = 7;

/** Of a local address. */
export const LOCAL_WORDS = 4;

const SOCKADDR_IN_SIZE = 16;
const SOCKADDR_IN6_SIZE = 28;

const PORT_AT = 2;
const IPV4_AT = 4;
const IPV6_AT = 8;
const SCOPE_AT = 24;

export interface SocketAddress {
  /** 4 or 16 bytes in network order. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Index of the device for a link-local IPv6 address, 0 otherwise. */
  readonly scope: number;
}

/** @param at Divisible by 4. */
export function writeSockaddr(
  view: DataView,
  at: number,
  { address, port, scope }: SocketAddress,
): void {
  const isIpv6 = address.length === 16;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at);
  bytes.fill(0, 0, SOCKADDR_SIZE);
  view.setUint16(at, isIpv6 ? AF.INET6 : AF.INET, true);
  view.setUint16(at + PORT_AT, port);
  bytes.set(address, isIpv6 ? IPV6_AT : IPV4_AT);
  if (isIpv6) view.setUint32(at + SCOPE_AT, scope, true);
}

export function readSockaddr(view: DataView, at: number): SocketAddress {
  const isIpv6 = view.getUint16(at, true) === AF.INET6;
  const start = view.byteOffset + at + (isIpv6 ? IPV6_AT : IPV4_AT);
  return {
    address: new Uint8Array(view.buffer, start, isIpv6 ? 16 : 4).slice(),
    port: view.getUint16(at + PORT_AT),
    scope: isIpv6 ? view.getUint32(at + SCOPE_AT, true) : 0,
  };
}

/** @param at Divisible by 4. */
export function sockaddrLength(words: Uint32Array, at: number): number {
  return sockaddrFamily(words, at >>> 2) === 6
    ? SOCKADDR_IN6_SIZE
    : SOCKADDR_IN_SIZE;
}

/**
 * @param index Of the first word of an address.
 * @returns 0 where there is none.
 */
export function sockaddrFamily(words: Uint32Array, index: number): 0 | 4 | 6 {
  const family = (words[index] ?? 0) & 0xffff;
  return family === AF.INET6 ? 6 : family === AF.INET ? 4 : 0;
}

/**
 * Whether family, address, port and scope are the same. Flow information and what
 * an IPv4 address leaves unused may be anything that the kernel has left there.
 * Offsets count words.
 */
export function sameSockaddr(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  if (differ(a, atA, b, atB)) return false;
  if (sockaddrFamily(a, atA) !== 6) return !differ(a, atA + 1, b, atB + 1);
  for (let k = 2; k < SOCKADDR_WORDS; k++) {
    if (differ(a, atA + k, b, atB + k)) return false;
  }
  return true;
}

// By bits: code compiled to compare small numbers is thrown away when it meets
// one above 2^31, and about half of all words are.
function differ(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  return ((a[atA] ?? 0) ^ (b[atB] ?? 0)) !== 0;
}

export function copySockaddr(
  from: Uint32Array,
  atFrom: number,
  to: Uint32Array,
  atTo: number,
): void {
  for (let k = 0; k < SOCKADDR_WORDS; k++) to[atTo + k] = from[atFrom + k] ?? 0;
}

export function copyLocal(
  from: Uint32Array,
  atFrom: number,
  to: Uint32Array,
  atTo: number,
): void {
  for (let k = 0; k < LOCAL_WORDS; k++) to[atTo + k] = from[atFrom + k] ?? 0;
}

// By bits, as differ() does.
export function sameLocal(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  let difference = 0;
  for (let k = 0; k < LOCAL_WORDS; k++) {
    difference |= (a[atA + k] ?? 0) ^ (b[atB + k] ?? 0);
  }
  return difference === 0;
}

export function isLocal(words: Uint32Array, at: number): boolean {
  let bits = 0;
  for (let k = 0; k < LOCAL_WORDS; k++) bits |= words[at + k] ?? 0;
  return bits !== 0;
}
