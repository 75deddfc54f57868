/**
 * Addresses of UDP sockets in memory: struct sockaddr_in (ip(7)) and
 * struct sockaddr_in6 (ipv6(7)). Where no address is known all words are 0.
 *
 * @module
 */

import { AF } from "../flags.ts";
/** Bytes that hold an address of either family. */
export const SOCKADDR_SIZE = 28;

/** The same in words of 32 bits. */
export const SOCKADDR_WORDS = 7;

const SOCKADDR_IN_SIZE = 16;
const SOCKADDR_IN6_SIZE = 28;

const PORT_AT = 2;
const IPV4_AT = 4;
const IPV6_AT = 8;
const SCOPE_AT = 24;

/** An address and a port. */
export interface SocketAddress {
  /** The address, 4 or 16 bytes in network order. */
  readonly address: Uint8Array;
  /** The port, 0 to 65535. */
  readonly port: number;
  /** Index of the device for a link-local IPv6 address, 0 otherwise. */
  readonly scope: number;
}

/**
 * @param view Memory.
 * @param at Where {@linkcode SOCKADDR_SIZE} bytes are free, divisible by 4.
 * @param socketAddress What to write there.
 */
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

/**
 * @param view Memory.
 * @param at Where an address lies.
 * @returns The address; it no longer depends on the memory.
 */
export function readSockaddr(view: DataView, at: number): SocketAddress {
  const isIpv6 = view.getUint16(at, true) === AF.INET6;
  const start = view.byteOffset + at + (isIpv6 ? IPV6_AT : IPV4_AT);
  return {
    address: new Uint8Array(view.buffer, start, isIpv6 ? 16 : 4).slice(),
    port: view.getUint16(at + PORT_AT),
    scope: isIpv6 ? view.getUint32(at + SCOPE_AT, true) : 0,
  };
}

/**
 * The length that the kernel wants to be told with an address.
 *
 * @param words Memory.
 * @param at Where an address lies, divisible by 4.
 * @returns Bytes.
 */
export function sockaddrLength(words: Uint32Array, at: number): number {
  return sockaddrFamily(words, at >>> 2) === 6
    ? SOCKADDR_IN6_SIZE
    : SOCKADDR_IN_SIZE;
}

/**
 * The family of an address.
 *
 * @param words Memory.
 * @param index Index of the first word of an address.
 * @returns 0 where there is none.
 */
export function sockaddrFamily(words: Uint32Array, index: number): 0 | 4 | 6 {
  const family = (words[index] ?? 0) & 0xffff;
  return family === AF.INET6 ? 6 : family === AF.INET ? 4 : 0;
}

/**
 * Compares family, address, port and scope. Flow information and what an IPv4
 * address leaves unused do not count: there the kernel may have left anything.
 *
 * @param a Memory of the one address.
 * @param atA Index of its first word.
 * @param b Memory of the other.
 * @param atB Index of its first word.
 */
export function sameSockaddr(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
): boolean {
  if (a[atA] !== b[atB]) return false;
  if (((a[atA] ?? 0) & 0xffff) !== AF.INET6) return a[atA + 1] === b[atB + 1];
  for (let k = 2; k < SOCKADDR_WORDS; k++) {
    if (a[atA + k] !== b[atB + k]) return false;
  }
  return true;
}

/** Copies an address as it is; see {@linkcode sameSockaddr}. */
export function copySockaddr(
  from: Uint32Array,
  atFrom: number,
  to: Uint32Array,
  atTo: number,
): void {
  for (let k = 0; k < SOCKADDR_WORDS; k++) to[atTo + k] = from[atFrom + k] ?? 0;
}
