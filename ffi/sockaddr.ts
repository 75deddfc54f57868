/**
 * Addresses of UDP sockets in memory: struct sockaddr_in (ip(7)) and
 * struct sockaddr_in6 (ipv6(7)).
 *
 * @module
 */

/** Address family of IPv4. */
export const AF_INET = 2;
/** Address family of IPv6. */
export const AF_INET6 = 10;

/** Bytes that hold an address of either family, rounded up. */
export const SOCKADDR_SIZE = 32;

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
  view.setUint16(at, isIpv6 ? AF_INET6 : AF_INET, true);
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
  const isIpv6 = view.getUint16(at, true) === AF_INET6;
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
  return familyAt(words, at) === AF_INET6
    ? SOCKADDR_IN6_SIZE
    : SOCKADDR_IN_SIZE;
}

/**
 * Compares family, address, port and scope, and nothing that the kernel may
 * have left of an earlier address.
 *
 * @param words Memory.
 * @param a Where one address lies, divisible by 4.
 * @param b Where the other lies, divisible by 4.
 */
export function sameSockaddr(
  words: Uint32Array,
  a: number,
  b: number,
): boolean {
  const first = a >>> 2;
  const second = b >>> 2;
  if (words[first] !== words[second]) return false;
  if (familyAt(words, a) !== AF_INET6) {
    return words[first + 1] === words[second + 1];
  }
  for (let k = 2; k <= 6; k++) {
    if (words[first + k] !== words[second + k]) return false;
  }
  return true;
}

function familyAt(words: Uint32Array, at: number): number {
  return (words[at >>> 2] ?? 0) & 0xffff;
}

/**
 * Writes an address given as words: family (4 or 6), port, four words of
 * address bytes in network order, scope.
 *
 * @param words Memory.
 * @param at Where {@linkcode SOCKADDR_SIZE} bytes are free, divisible by 4.
 * @param from Holds the seven words.
 * @param index Index of the first of them.
 */
export function writeSockaddrWords(
  words: Uint32Array,
  at: number,
  from: Uint32Array,
  index: number,
): void {
  const to = at >>> 2;
  const isIpv6 = from[index] === 6;
  const port = from[index + 1] ?? 0;
  const networkPort = ((port & 0xff) << 8) | (port >>> 8);
  words[to] = (isIpv6 ? AF_INET6 : AF_INET) | (networkPort << 16);
  words[to + 1] = isIpv6 ? 0 : from[index + 2] ?? 0;
  for (let k = 0; k < 4; k++) {
    words[to + 2 + k] = isIpv6 ? from[index + 2 + k] ?? 0 : 0;
  }
  words[to + 6] = isIpv6 ? from[index + 6] ?? 0 : 0;
}

/**
 * Reads an address into words; see {@linkcode writeSockaddrWords}.
 *
 * @param words Memory.
 * @param at Where an address lies, divisible by 4.
 * @param to Takes the seven words.
 * @param index Index of the first of them.
 */
export function readSockaddrWords(
  words: Uint32Array,
  at: number,
  to: Uint32Array,
  index: number,
): void {
  const from = at >>> 2;
  const isIpv6 = familyAt(words, at) === AF_INET6;
  const networkPort = (words[from] ?? 0) >>> 16;
  to[index] = isIpv6 ? 6 : 4;
  to[index + 1] = ((networkPort & 0xff) << 8) | (networkPort >>> 8);
  to[index + 2] = words[from + (isIpv6 ? 2 : 1)] ?? 0;
  for (let k = 1; k < 4; k++) {
    to[index + 2 + k] = isIpv6 ? words[from + 2 + k] ?? 0 : 0;
  }
  to[index + 6] = isIpv6 ? words[from + 6] ?? 0 : 0;
}
