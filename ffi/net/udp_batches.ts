// UDP datagrams in batches: one system call receives or sends many.

import { Errno, isToRepeat, SystemError } from "../errno.ts";
import { IP, IPPROTO, IPV6, MSG, SOL, UDP } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { Arena } from "../memory.ts";
import { GatherList, MessageHeaders } from "./messages.ts";
import {
  LOCAL_WORDS,
  SOCKADDR_SIZE,
  sockaddrFamily,
  sockaddrLength,
} from "./sockaddr.ts";

interface ReceiveBuffers {
  /** Of the first buffer. */
  readonly at: number;
  /** From the start of one buffer to that of the next. */
  readonly stride: number;
  /** 65536 if datagrams may be joined. */
  readonly size: number;
  readonly count: number;
  /** Whether to look for the address that each message came to. */
  readonly locals?: boolean;
}

/** First byte of an IPv6 multicast address (RFC 4291 section 2.7). */
const MULTICAST = 0xff;

/** In place of an address to send from: the kernel chooses. */
export const ANY_SOURCE = -1;

/**
 * Receives messages into buffers of an arena. A message is one datagram, or
 * several of one sender that the kernel has joined: all of
 * {@linkcode UdpReceiver.segmentSizes} bytes, the last perhaps shorter.
 *
 * One serves any number of sockets, one after the other.
 */
export class UdpReceiver {
  /** Bytes of each message. 0 for one that was longer than the buffer. */
  readonly sizes: Uint32Array;
  /** Bytes of each datagram in a message; of a single one, its size. */
  readonly segmentSizes: Uint32Array;
  /** Of each message, the same for all its datagrams; see `looksForClasses`. */
  readonly classes: Uint8Array;
  /** Whether to look for classes of traffic, which sockets may tell. */
  looksForClasses = false;
  readonly #libc: Libc;
  readonly #buffers: ReceiveBuffers;
  readonly #headers: MessageHeaders;
  readonly #words: Uint32Array;
  /** Where the local addresses begin. */
  readonly #locals: number;
  #used: number;

  /** @param arena Holds the buffers, and 212 bytes for each of them. */
  constructor(libc: Libc, arena: Arena, buffers: ReceiveBuffers) {
    const { at, stride, size, count } = buffers;
    this.#libc = libc;
    this.#buffers = buffers;
    this.sizes = new Uint32Array(count);
    this.segmentSizes = new Uint32Array(count);
    this.classes = new Uint8Array(count);
    this.#headers = new MessageHeaders(arena, count);
    this.#locals = arena.take(count * LOCAL_WORDS * 4);
    this.#words = arena.words;
    const pieces = new GatherList(arena, count);
    for (let i = 0; i < count; i++) {
      this.#headers.setName(i, this.#headers.nameAt(i), SOCKADDR_SIZE);
      this.#headers.setPieces(i, pieces.next, 1);
      pieces.add(at + i * stride, size);
      pieces.divide();
    }
    this.#used = count;
  }

  at(i: number): number {
    return this.#buffers.at + i * this.#buffers.stride;
  }

  /** Offset of the sender's sockaddr. */
  senderAt(i: number): number {
    return this.#headers.nameAt(i);
  }

  /**
   * Offset of the address of this host that the message came to, of 16 bytes as
   * {@linkcode UdpSender.begin} takes it. Only of sockets that tell it.
   */
  localAt(i: number): number {
    return this.#locals + i * LOCAL_WORDS * 4;
  }

  /**
   * Does not wait. What has come stays until the next call.
   * @returns The number of messages.
   * @throws {SystemError} When the socket cannot be received from.
   */
  receive(fd: number): number {
    this.#prepare();
    const { recvmmsg } = this.#libc.symbols;
    const first = this.#headers.pointer(0);
    const { count } = this.#buffers;
    let received;
    for (let seen = 0;;) {
      received = recvmmsg(fd, first, count, MSG.DONTWAIT, null);
      if (received >= 0) break;
      const errno = this.#libc.errno();
      if (hasNothing(errno)) return 0;
      if (!isToRepeat(errno, seen)) {
        throw new SystemError("receive from a UDP socket", "recvmmsg", errno);
      }
      seen = errno;
    }
    for (let i = 0; i < received; i++) this.#measure(i);
    this.#used = received;
    return received;
  }

  /** The kernel has overwritten these lengths in the messages it used. */
  #prepare(): void {
    for (let i = 0; i < this.#used; i++) {
      this.#headers.setNameLength(i, SOCKADDR_SIZE);
      this.#headers.offerControl(i);
    }
    this.#used = 0;
  }

  #measure(i: number): void {
    const isCut = (this.#headers.flags(i) & MSG.TRUNC) !== 0;
    const size = isCut ? 0 : this.#headers.length(i);
    const joined = this.#headers.findControl(i, SOL.UDP, UDP.GRO, 4);
    this.sizes[i] = size;
    // Datagrams of no bytes would never come to an end.
    this.segmentSizes[i] = (joined === 0 ? 0 : this.#words[joined]) || size;
    if (this.#buffers.locals) this.#findLocal(i);
    this.classes[i] = this.looksForClasses ? this.#findClass(i) : 0;
  }

  // The kernel joins no datagrams of different classes (inet_gro_receive(),
  // ipv6_gro_receive()).
  #findClass(i: number): number {
    const ipv4 = this.#headers.findControl(i, IPPROTO.IP, IP.TOS, 1);
    if (ipv4 !== 0) return (this.#words[ipv4] ?? 0) & 0xff;
    const ipv6 = this.#headers.findControl(i, IPPROTO.IPV6, IPV6.TCLASS, 4);
    return ipv6 === 0 ? 0 : (this.#words[ipv6] ?? 0) & 0xff;
  }

  // struct in_pktinfo { int ipi_ifindex; struct in_addr ipi_spec_dst, ipi_addr; }
  // of which the first is one to answer from, also for what came to many
  // (ip(7)), and struct in6_pktinfo { struct in6_addr; int ipi6_ifindex; }.
  #findLocal(i: number): void {
    const words = this.#words;
    const local = this.localAt(i) >>> 2;
    if (sockaddrFamily(words, this.senderAt(i) >>> 2) === 6) {
      const at = this.#headers.findControl(i, IPPROTO.IPV6, IPV6.PKTINFO, 20);
      // Nobody can answer from a group of receivers.
      const isUsable = at !== 0 && ((words[at] ?? 0) & 0xff) !== MULTICAST;
      for (let k = 0; k < LOCAL_WORDS; k++) {
        words[local + k] = isUsable ? words[at + k] ?? 0 : 0;
      }
      return;
    }
    const at = this.#headers.findControl(i, IPPROTO.IP, IP.PKTINFO, 12);
    words[local] = at === 0 ? 0 : words[at + 1] ?? 0;
    for (let k = 1; k < LOCAL_WORDS; k++) words[local + k] = 0;
  }
}

/** Whether receiving failed only for now. */
function hasNothing(errno: number): boolean {
  switch (errno) {
    case Errno.EAGAIN:
    case Errno.EINTR:
    // Tells of an earlier datagram that did not arrive (udp(7)).
    case Errno.ECONNREFUSED:
    // Memory is short; the datagrams stay.
    case Errno.ENOMEM:
    case Errno.ENOBUFS:
      return true;
    default:
      return false;
  }
}

interface SenderCapacity {
  /** The kernel sends at most 1024 in one call. */
  readonly messages: number;
  /** In all of them. */
  readonly pieces: number;
}

/**
 * A batch of messages, sent from where they lie in an arena. A message is one
 * datagram, or a run of datagrams of equal size (the last may be shorter) that
 * the kernel cuts apart, of 65507 bytes at most (IPv4).
 *
 * @example
 * ```ts ignore
 * sender.clear();
 * sender.begin(destination, 1420);
 * for (const at of sealed) sender.add(at, 1420);
 * for (let k = 0; k < sender.count;) {
 *   const sent = sender.send(fd, k);
 *   if (sent === 0) report(k, sender.errno);
 *   k += sent || 1;
 * }
 * ```
 */
export class UdpSender {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #headers: MessageHeaders;
  readonly #pieces: GatherList;
  #count = 0;
  #firstPiece = 0;
  #errno = 0;

  /**
   * @param arena Holds datagrams and destinations, and 180 bytes for each
   * message, 16 for each piece.
   */
  constructor(libc: Libc, arena: Arena, capacity: SenderCapacity) {
    this.#libc = libc;
    this.#arena = arena;
    this.#headers = new MessageHeaders(arena, capacity.messages);
    this.#pieces = new GatherList(arena, capacity.pieces);
  }

  get count(): number {
    return this.#count;
  }

  /** Why the last {@linkcode UdpSender.send} sent nothing. */
  get errno(): number {
    return this.#errno;
  }

  clear(): void {
    this.#count = 0;
    this.#pieces.clear();
  }

  /**
   * @param destination Offset of a sockaddr, which must stay until it is sent.
   * @param segmentSize Of each datagram of a run, 0 for a single datagram.
   * @param source Offset of the address to send from, 4 or 16 bytes as the
   * destination has, or {@linkcode ANY_SOURCE}.
   * @param trafficClass Of all its datagrams: DSCP and ECN.
   * @throws {RangeError} When the batch is full.
   */
  begin(
    destination: number,
    segmentSize: number,
    source = ANY_SOURCE,
    trafficClass = 0,
  ): void {
    const i = this.#count;
    if (i === this.#headers.capacity) {
      throw new RangeError(`Cannot add a message: the batch holds ${i}`);
    }
    const length = sockaddrLength(this.#arena.words, destination);
    this.#headers.setName(i, destination, length);
    this.#headers.clearControl(i);
    if (source !== ANY_SOURCE) this.#setSource(i, destination, source);
    if (trafficClass !== 0) this.#setClass(i, destination, trafficClass);
    if (segmentSize !== 0) {
      const at = this.#headers.addControl(i, SOL.UDP, UDP.SEGMENT, 2);
      this.#arena.words[at] = segmentSize;
    }
    this.#pieces.divide();
    this.#firstPiece = this.#pieces.length;
    this.#headers.setPieces(i, this.#pieces.next, 0);
    this.#count = i + 1;
  }

  #setClass(i: number, destination: number, trafficClass: number): void {
    const { words } = this.#arena;
    const isIpv6 = sockaddrFamily(words, destination >>> 2) === 6;
    const at = isIpv6
      ? this.#headers.addControl(i, IPPROTO.IPV6, IPV6.TCLASS, 4)
      : this.#headers.addControl(i, IPPROTO.IP, IP.TOS, 4);
    words[at] = trafficClass;
  }

  #setSource(i: number, destination: number, source: number): void {
    const { words } = this.#arena;
    const from = source >>> 2;
    if (sockaddrFamily(words, destination >>> 2) === 6) {
      const to = this.#headers.addControl(i, IPPROTO.IPV6, IPV6.PKTINFO, 20);
      for (let k = 0; k < 4; k++) words[to + k] = words[from + k] ?? 0;
      words[to + 4] = 0;
      return;
    }
    // Routes choose the device, and the address is ipi_spec_dst.
    const to = this.#headers.addControl(i, IPPROTO.IP, IP.PKTINFO, 12);
    words[to] = 0;
    words[to + 1] = words[from] ?? 0;
    words[to + 2] = 0;
  }

  /**
   * Adds memory, which must stay as it is until it is sent, to the last message.
   * @throws {RangeError} When the batch is full.
   */
  add(at: number, size: number): void {
    this.#pieces.add(at, size);
    const pieces = this.#pieces.length - this.#firstPiece;
    this.#headers.setPieceCount(this.#count - 1, pieces);
  }

  /**
   * Does not wait. The kernel stops at the first message that it cannot send,
   * with `EAGAIN` when the socket's buffer is full.
   * @returns How many were sent. When 0, message `first` was refused and
   * {@linkcode UdpSender.errno} says why.
   */
  send(fd: number, first: number): number {
    for (;;) {
      const { sendmmsg } = this.#libc.symbols;
      const from = this.#headers.pointer(first);
      const left = this.#count - first;
      const sent = sendmmsg(fd, from, left, MSG.DONTWAIT);
      if (sent > 0) return sent;
      this.#errno = this.#libc.errno();
      if (this.#errno !== Errno.EINTR) return 0;
    }
  }
}
