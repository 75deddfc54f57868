/**
 * An array of struct mmsghdr (recvmmsg(2), sendmmsg(2)) with room for one
 * address and one control message each.
 *
 * @module
 */

import type { Arena } from "../memory.ts";
import { SOCKADDR_SIZE } from "./sockaddr.ts";

// struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov;
// size_t msg_iovlen; void *msg_control; size_t msg_controllen; int msg_flags; },
// then unsigned int msg_len; the same on x86-64 and aarch64, in glibc and musl.
const MMSGHDR_SIZE = 64;
const NAME_AT = 0;
const NAME_LENGTH_AT = 8;
const PIECES_AT = 16;
const PIECE_COUNT_AT = 24;
const CONTROL_AT = 32;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;
const LENGTH_AT = 56;

// struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }, then data.
const CMSG_LEVEL_AT = 8;
const CMSG_TYPE_AT = 12;
const CMSG_DATA_AT = 16;
/** Bytes for one control message with up to 8 bytes of data. */
const CONTROL_SIZE = 24;

/** Messages of a batch, by index. Every field is set by offset, none by copy. */
export class MessageHeaders {
  /** How many messages there are. */
  readonly capacity: number;
  readonly #arena: Arena;
  readonly #headers: number;
  readonly #names: number;
  readonly #controls: number;

  /**
   * @param arena Memory for the headers, 116 bytes each.
   * @param capacity How many messages.
   */
  constructor(arena: Arena, capacity: number) {
    this.#arena = arena;
    this.capacity = capacity;
    this.#headers = arena.take(capacity * MMSGHDR_SIZE, MMSGHDR_SIZE);
    this.#names = arena.take(capacity * SOCKADDR_SIZE);
    this.#controls = arena.take(capacity * CONTROL_SIZE);
    for (let i = 0; i < capacity; i++) {
      arena.storeAddress(this.#header(i) + CONTROL_AT, this.#control(i));
    }
  }

  /** The struct of message `i`, for the kernel to go on from. */
  pointer(i: number): Deno.PointerObject {
    return this.#arena.pointer(this.#header(i));
  }

  /** The place for the address of message `i`. */
  nameAt(i: number): number {
    return this.#names + i * SOCKADDR_SIZE;
  }

  /** Says where message `i` has its address, and how long that is. */
  setName(i: number, at: number, length: number): void {
    this.#arena.storeAddress(this.#header(i) + NAME_AT, at);
    this.#set(i, NAME_LENGTH_AT, length);
  }

  /** Says how long the address of message `i` is, or may be. */
  setNameLength(i: number, length: number): void {
    this.#set(i, NAME_LENGTH_AT, length);
  }

  /** Says where message `i` has its structs iovec, and how many. */
  setPieces(i: number, at: number, count: number): void {
    this.#arena.storeAddress(this.#header(i) + PIECES_AT, at);
    this.#set(i, PIECE_COUNT_AT, count);
  }

  /** Says how many structs iovec message `i` has. */
  setPieceCount(i: number, count: number): void {
    this.#set(i, PIECE_COUNT_AT, count);
  }

  /** Makes room for a control message at message `i`. */
  offerControl(i: number): void {
    this.#set(i, CONTROL_LENGTH_AT, CONTROL_SIZE);
  }

  /** Leaves message `i` without a control message. */
  clearControl(i: number): void {
    this.#set(i, CONTROL_LENGTH_AT, 0);
  }

  /** Gives message `i` a control message that holds 16 bits. */
  setControl(i: number, level: number, type: number, value: number): void {
    const { words } = this.#arena;
    const at = this.#control(i) >>> 2;
    words[at] = CMSG_DATA_AT + 2;
    words[at + CMSG_LEVEL_AT / 4] = level;
    words[at + CMSG_TYPE_AT / 4] = type;
    words[at + CMSG_DATA_AT / 4] = value;
    this.offerControl(i);
  }

  /**
   * @returns The 32 bits in the control message that came with message `i`, 0
   * if none of that kind came.
   */
  control(i: number, level: number, type: number): number {
    if (this.#get(i, CONTROL_LENGTH_AT) < CMSG_DATA_AT + 4) return 0;
    const { words } = this.#arena;
    const at = this.#control(i) >>> 2;
    return words[at + CMSG_LEVEL_AT / 4] === level &&
        words[at + CMSG_TYPE_AT / 4] === type
      ? words[at + CMSG_DATA_AT / 4] ?? 0
      : 0;
  }

  /** Flags that the kernel left with message `i`. */
  flags(i: number): number {
    return this.#get(i, FLAGS_AT);
  }

  /** Bytes received in message `i`. */
  length(i: number): number {
    return this.#get(i, LENGTH_AT);
  }

  #header(i: number): number {
    return this.#headers + i * MMSGHDR_SIZE;
  }

  #control(i: number): number {
    return this.#controls + i * CONTROL_SIZE;
  }

  #set(i: number, field: number, value: number): void {
    this.#arena.words[(this.#header(i) + field) >>> 2] = value;
  }

  #get(i: number, field: number): number {
    return this.#arena.words[(this.#header(i) + field) >>> 2] ?? 0;
  }
}
