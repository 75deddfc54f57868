/**
 * Sending UDP datagrams in batches.
 *
 * @module
 */

import { Errno } from "../errno.ts";
import { MSG, SOL, UDP } from "../flags.ts";
import { GatherList } from "./gather_list.ts";
import type { Libc } from "../libc.ts";
import type { Arena } from "../memory.ts";
import { MessageHeaders } from "./mmsghdr.ts";
import { sockaddrLength } from "./sockaddr.ts";

/** What a {@linkcode UdpSender} can hold. */
export interface SenderCapacity {
  /** Messages in a batch; the kernel sends at most 1024 in one call. */
  readonly messages: number;
  /** Pieces of memory in a batch. */
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
   * @param libc The C library of this thread.
   * @param arena Holds the datagrams and destinations, and 116 bytes for each
   * message, 16 for each piece.
   * @param capacity What the batch can hold.
   */
  constructor(libc: Libc, arena: Arena, capacity: SenderCapacity) {
    this.#libc = libc;
    this.#arena = arena;
    this.#headers = new MessageHeaders(arena, capacity.messages);
    this.#pieces = new GatherList(arena, capacity.pieces);
  }

  /** Messages in the batch. */
  get count(): number {
    return this.#count;
  }

  /** Why the last {@linkcode UdpSender.send} sent nothing. */
  get errno(): number {
    return this.#errno;
  }

  /** Forgets all messages. */
  clear(): void {
    this.#count = 0;
    this.#pieces.clear();
  }

  /**
   * Begins the next message.
   *
   * @param destination Offset of a sockaddr, which must stay until it is sent.
   * @param segmentSize Bytes of each datagram of a run, 0 for a single datagram.
   * @throws {RangeError} When the batch is full.
   */
  begin(destination: number, segmentSize: number): void {
    const i = this.#count;
    if (i === this.#headers.capacity) {
      throw new RangeError(`Cannot add a message: the batch holds ${i}`);
    }
    const length = sockaddrLength(this.#arena.words, destination);
    this.#headers.setName(i, destination, length);
    if (segmentSize === 0) this.#headers.clearControl(i);
    else this.#headers.setControl(i, SOL.UDP, UDP.SEGMENT, segmentSize);
    this.#pieces.divide();
    this.#firstPiece = this.#pieces.length;
    this.#headers.setPieces(i, this.#pieces.next, 0);
    this.#count = i + 1;
  }

  /**
   * Adds memory to the message begun last.
   *
   * @param at Where it is; it must stay as it is until it is sent.
   * @param size Its bytes.
   * @throws {RangeError} When the batch is full.
   */
  add(at: number, size: number): void {
    this.#pieces.add(at, size);
    const pieces = this.#pieces.length - this.#firstPiece;
    this.#headers.setPieceCount(this.#count - 1, pieces);
  }

  /**
   * Sends messages without waiting. The kernel stops at the first that it
   * cannot send, with `EAGAIN` when the socket's buffer is full.
   *
   * @param fd A UDP socket of the destinations' family.
   * @param first The first message to send.
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
