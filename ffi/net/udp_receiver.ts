/**
 * Receiving UDP datagrams in batches.
 *
 * @module
 */

import { Errno, SystemError } from "../errno.ts";
import { MSG, SOL, UDP } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { Arena } from "../memory.ts";
import { GatherList } from "./gather_list.ts";
import { MessageHeaders } from "./mmsghdr.ts";
import { SOCKADDR_SIZE } from "./sockaddr.ts";

/** Where received messages are put. */
export interface ReceiveBuffers {
  /** Offset of the first buffer. */
  readonly at: number;
  /** Bytes from the start of one buffer to that of the next. */
  readonly stride: number;
  /** Bytes of a buffer; 65536 if datagrams may be joined. */
  readonly size: number;
  /** How many buffers there are. */
  readonly count: number;
}

/**
 * Receives messages into buffers of an arena. A message is one datagram, or
 * several of one sender that the kernel has joined: all of
 * {@linkcode UdpReceiver.segmentSizes} bytes, the last perhaps shorter.
 *
 * One receiver serves any number of sockets, one after the other.
 */
export class UdpReceiver {
  /** Bytes of each message. 0 for one that was longer than the buffer. */
  readonly sizes: Uint32Array;
  /** Bytes of each datagram in a message; of a single one, its size. */
  readonly segmentSizes: Uint32Array;
  readonly #libc: Libc;
  readonly #buffers: ReceiveBuffers;
  readonly #headers: MessageHeaders;
  #used: number;

  /**
   * @param libc The C library of this thread.
   * @param arena Holds the buffers, and 132 bytes for each of them.
   * @param buffers Where messages are put.
   */
  constructor(libc: Libc, arena: Arena, buffers: ReceiveBuffers) {
    const { at, stride, size, count } = buffers;
    this.#libc = libc;
    this.#buffers = buffers;
    this.sizes = new Uint32Array(count);
    this.segmentSizes = new Uint32Array(count);
    this.#headers = new MessageHeaders(arena, count);
    const pieces = new GatherList(arena, count);
    for (let i = 0; i < count; i++) {
      this.#headers.setName(i, this.#headers.nameAt(i), SOCKADDR_SIZE);
      this.#headers.setPieces(i, pieces.next, 1);
      pieces.add(at + i * stride, size);
      pieces.divide();
    }
    this.#used = count;
  }

  /** Offset of message `i`. */
  at(i: number): number {
    return this.#buffers.at + i * this.#buffers.stride;
  }

  /** Offset of the sockaddr of the sender of message `i`. */
  senderAt(i: number): number {
    return this.#headers.nameAt(i);
  }

  /**
   * Receives what is there, without waiting. It stays until the next call.
   *
   * @param fd A UDP socket.
   * @returns The number of messages, 0 when none has come.
   * @throws {SystemError} When the socket cannot be received from.
   */
  receive(fd: number): number {
    this.#prepare();
    const { recvmmsg } = this.#libc.symbols;
    const first = this.#headers.pointer(0);
    const { count } = this.#buffers;
    const received = recvmmsg(fd, first, count, MSG.DONTWAIT, null);
    if (received < 0) return this.#failed();
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

  #failed(): 0 {
    const errno = this.#libc.errno();
    switch (errno) {
      case Errno.EAGAIN:
      case Errno.EINTR:
      // Tells of an earlier datagram that did not arrive (udp(7)).
      case Errno.ECONNREFUSED:
      // Memory is short; the datagrams stay.
      case Errno.ENOMEM:
      case Errno.ENOBUFS:
        return 0;
      default:
        throw new SystemError("receive from a UDP socket", "recvmmsg", errno);
    }
  }

  #measure(i: number): void {
    const isCut = (this.#headers.flags(i) & MSG.TRUNC) !== 0;
    const size = isCut ? 0 : this.#headers.length(i);
    const segment = this.#headers.control(i, SOL.UDP, UDP.GRO);
    this.sizes[i] = size;
    this.segmentSizes[i] = segment === 0 ? size : segment;
  }
}
