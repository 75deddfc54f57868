// Messages of a socket in an arena: arrays of struct iovec (readv(2)) and of
// struct mmsghdr (recvmmsg(2), sendmmsg(2)).

import type { Arena } from "../memory.ts";
import { SOCKADDR_SIZE } from "./sockaddr.ts";

// struct iovec { void *iov_base; size_t iov_len; }
const IOVEC_SIZE = 16;
const IOVEC_LENGTH_AT = 8;

/** Pieces of memory that the kernel takes for one, filled anew for every use. */
export class GatherList {
  readonly pointer: Deno.PointerObject;
  readonly #arena: Arena;
  readonly #base: number;
  readonly #capacity: number;
  #length = 0;
  #end = -1;

  /** @param arena Holds the pieces, and 16 bytes for each of `capacity`. */
  constructor(arena: Arena, capacity: number) {
    this.#arena = arena;
    this.#base = arena.take(capacity * IOVEC_SIZE);
    this.pointer = arena.pointer(this.#base);
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** Offset of the next piece's struct. */
  get next(): number {
    return this.#base + this.#length * IOVEC_SIZE;
  }

  clear(): void {
    this.#length = 0;
    this.#end = -1;
  }

  /** The next piece has a struct of its own, even if it adjoins the last. */
  divide(): void {
    this.#end = -1;
  }

  /**
   * A piece that adjoins the last makes that one longer.
   * @throws {RangeError} When the list is full, or it is outside the arena.
   */
  add(at: number, size: number): void {
    this.#arena.check(at, size);
    const { words } = this.#arena;
    if (at === this.#end) {
      const length = (this.next - IOVEC_SIZE + IOVEC_LENGTH_AT) >>> 2;
      words[length] = (words[length] ?? 0) + size;
    } else {
      if (this.#length === this.#capacity) {
        throw new RangeError(
          `Cannot add a piece: the list holds ${this.#capacity}`,
        );
      }
      const iovec = this.next;
      this.#arena.storeAddress(iovec, at);
      words[(iovec + IOVEC_LENGTH_AT) >>> 2] = size;
      this.#length++;
    }
    this.#end = at + size;
  }
}

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
/**
 * Bytes for control messages: the local address (40 for IPv6), what belongs to
 * joined datagrams, and the class of traffic (24 each).
 */
const CONTROL_SIZE = 88;

/** With room for one address and a few control messages each. */
export class MessageHeaders {
  readonly capacity: number;
  readonly #arena: Arena;
  readonly #headers: number;
  readonly #names: number;
  readonly #controls: number;

  /** @param arena Has 180 bytes for each message. */
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

  pointer(i: number): Deno.PointerObject {
    return this.#arena.pointer(this.#header(i));
  }

  /** Room for the address of message `i`. */
  nameAt(i: number): number {
    return this.#names + i * SOCKADDR_SIZE;
  }

  setName(i: number, at: number, length: number): void {
    this.#arena.storeAddress(this.#header(i) + NAME_AT, at);
    this.#set(i, NAME_LENGTH_AT, length);
  }

  /** How long the address is, or may be. */
  setNameLength(i: number, length: number): void {
    this.#set(i, NAME_LENGTH_AT, length);
  }

  /** @param at Offset of the first struct iovec. */
  setPieces(i: number, at: number, count: number): void {
    this.#arena.storeAddress(this.#header(i) + PIECES_AT, at);
    this.#set(i, PIECE_COUNT_AT, count);
  }

  setPieceCount(i: number, count: number): void {
    this.#set(i, PIECE_COUNT_AT, count);
  }

  offerControl(i: number): void {
    this.#set(i, CONTROL_LENGTH_AT, CONTROL_SIZE);
  }

  clearControl(i: number): void {
    this.#set(i, CONTROL_LENGTH_AT, 0);
  }

  /**
   * Adds a control message behind those that are there.
   * @param size Bytes of its data.
   * @returns Index of the first word of the data, which is to be filled.
   * @throws {RangeError} When there is no room.
   */
  addControl(i: number, level: number, type: number, size: number): number {
    const { words } = this.#arena;
    const used = this.#get(i, CONTROL_LENGTH_AT);
    const end = used + aligned(CMSG_DATA_AT + size);
    if (end > CONTROL_SIZE) {
      throw new RangeError(
        `Cannot add a control message: ${CONTROL_SIZE - used} bytes are left`,
      );
    }
    const at = (this.#control(i) + used) >>> 2;
    words[at] = CMSG_DATA_AT + size;
    // The upper half of the length: other control messages may have lain here.
    words[at + 1] = 0;
    words[at + CMSG_LEVEL_AT / 4] = level;
    words[at + CMSG_TYPE_AT / 4] = type;
    this.#set(i, CONTROL_LENGTH_AT, end);
    return at + CMSG_DATA_AT / 4;
  }

  /**
   * Looks for a control message that has come.
   * @param size Bytes of its data at the least.
   * @returns Index of the first word of the data, 0 if none of that kind came.
   */
  findControl(i: number, level: number, type: number, size: number): number {
    const { words } = this.#arena;
    const control = this.#control(i);
    const end = Math.min(this.#get(i, CONTROL_LENGTH_AT), CONTROL_SIZE);
    for (let at = 0; at + CMSG_DATA_AT + size <= end;) {
      const header = (control + at) >>> 2;
      const length = words[header] ?? 0;
      if (length < CMSG_DATA_AT) return 0;
      if (
        words[header + CMSG_LEVEL_AT / 4] === level &&
        words[header + CMSG_TYPE_AT / 4] === type &&
        length >= CMSG_DATA_AT + size
      ) return header + CMSG_DATA_AT / 4;
      at += aligned(length);
    }
    return 0;
  }

  flags(i: number): number {
    return this.#get(i, FLAGS_AT);
  }

  /** Bytes received. */
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

/** CMSG_ALIGN() of 64 bit systems. */
function aligned(size: number): number {
  return (size + 7) & ~7;
}
