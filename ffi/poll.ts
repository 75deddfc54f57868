// Waiting for file descriptors, and being woken from that by another thread.

import { isToRepeat } from "./errno.ts";
import { EFD } from "./flags.ts";
import type { Libc } from "./libc.ts";
import type { Arena } from "./memory.ts";

export const POLLIN = 0x1;
export const POLLOUT = 0x4;

// struct pollfd { int fd; short events; short revents; }
const POLLFD_SIZE = 8;
const EVENTS_AT = 4;
const REVENTS_AT = 6;

/** Milliseconds. */
export const FOREVER = -1;

/** A wait allocates nothing. */
export class PollSet {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #base: number;
  readonly #pointer: Deno.PointerObject;
  readonly #capacity: number;
  #count = 0;

  constructor(libc: Libc, arena: Arena, capacity: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#base = arena.take(capacity * POLLFD_SIZE);
    this.#pointer = arena.pointer(this.#base);
    this.#capacity = capacity;
  }

  /** @returns The index for {@linkcode PollSet.ready}. */
  add(fd: number, events = POLLIN): number {
    if (this.#count === this.#capacity) {
      throw new RangeError(
        `Cannot wait for another descriptor: the set holds ${this.#capacity}`,
      );
    }
    const at = this.#base + this.#count * POLLFD_SIZE;
    this.#arena.view.setInt32(at, fd, true);
    this.#arena.view.setInt16(at + EVENTS_AT, events, true);
    return this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Events of 0 leave errors and hang-ups. */
  watch(index: number, events: number): void {
    const at = this.#base + index * POLLFD_SIZE + EVENTS_AT;
    this.#arena.view.setInt16(at, events, true);
  }

  /**
   * Blocks the thread. A wait that a signal interrupts starts anew, for half as
   * long, so that it ends however many come.
   * @returns The number of descriptors that are ready, 0 after the timeout.
   */
  wait(timeout: number): number {
    let left = timeout;
    for (let seen = 0;; left >>= 1) {
      const { poll } = this.#libc.symbols;
      const count = poll(this.#pointer, this.#count, left);
      if (count >= 0) return count;
      const error = this.#libc.error("wait for file descriptors", "poll");
      if (!isToRepeat(error.errno, seen)) throw error;
      seen = error.errno;
    }
  }

  /**
   * As {@linkcode PollSet.wait}, on a thread of the pool. Far dearer, and the
   * set must be left alone until it is over.
   */
  async waitInBackground(timeout: number): Promise<number> {
    for (let left = timeout;; left >>= 1) {
      const { pollInBackground } = this.#libc.symbols;
      const count = await pollInBackground(this.#pointer, this.#count, left);
      if (count >= 0) return count;
      // The error number stays with that thread. Asking here without waiting
      // meets the same error again unless it was an interruption.
      this.wait(0);
    }
  }

  /** Errors and hang-ups count among the events. */
  ready(index: number): number {
    const at = this.#base + index * POLLFD_SIZE + REVENTS_AT;
    return this.#arena.view.getUint16(at, true);
  }
}

const COUNTER_SIZE = 8;

/** Ends another thread's wait (eventfd(2)). A worker is given its number. */
export class EventFd {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  readonly #sum = new Uint8Array(COUNTER_SIZE);

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  static open(libc: Libc): EventFd {
    const fd = libc.symbols.eventfd(0, EFD.CLOEXEC | EFD.NONBLOCK);
    if (fd < 0) throw libc.error("open an event counter", "eventfd");
    return new EventFd(libc, fd);
  }

  /** Wakes whoever waits, or will wait before {@linkcode EventFd.drain}. */
  signal(): void {
    // A counter that is full refuses the write, and wakes none the less.
    this.#libc.symbols.write(this.fd, this.#one, COUNTER_SIZE);
  }

  drain(): void {
    this.#libc.symbols.read(this.fd, this.#sum, COUNTER_SIZE);
  }

  /** Once for all objects on the descriptor. */
  close(): void {
    this.#libc.symbols.close(this.fd);
  }
}
