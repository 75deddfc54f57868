/**
 * Waiting until a file descriptor has something to read, and being woken from
 * that by another thread.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { EFD } from "./flags.ts";
import type { Libc } from "./libc.ts";
import type { Arena } from "./memory.ts";

/** There is data to read (poll(2)). */
export const POLLIN = 0x1;
/** Writing will not block (poll(2)). */
export const POLLOUT = 0x4;

// struct pollfd { int fd; short events; short revents; }
const POLLFD_SIZE = 8;
const EVENTS_AT = 4;
const REVENTS_AT = 6;

/** Milliseconds to wait for an event that may never come. */
export const FOREVER = -1;

/**
 * A set of file descriptors to wait for. The structs lie in an arena and are
 * filled in once; a wait allocates nothing.
 */
export class PollSet {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #base: number;
  readonly #pointer: Deno.PointerObject;
  readonly #capacity: number;
  #count = 0;

  /**
   * @param libc The C library of this thread.
   * @param arena Memory for the set, 8 bytes for each descriptor.
   * @param capacity Descriptors the set can hold.
   */
  constructor(libc: Libc, arena: Arena, capacity: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#base = arena.take(capacity * POLLFD_SIZE);
    this.#pointer = arena.pointer(this.#base);
    this.#capacity = capacity;
  }

  /**
   * @param fd A file descriptor.
   * @param events What to wait for: {@linkcode POLLIN}, {@linkcode POLLOUT}.
   * @returns The index under which {@linkcode PollSet.ready} answers.
   * @throws {RangeError} When the set is full.
   */
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

  /** Forgets all descriptors, for a set that is put together anew. */
  clear(): void {
    this.#count = 0;
  }

  /**
   * Changes what to wait for at one descriptor; 0 leaves errors and hang-ups.
   *
   * @param index What {@linkcode PollSet.add} returned.
   * @param events {@linkcode POLLIN}, {@linkcode POLLOUT}, both or 0.
   */
  watch(index: number, events: number): void {
    const at = this.#base + index * POLLFD_SIZE + EVENTS_AT;
    this.#arena.view.setInt16(at, events, true);
  }

  /**
   * Blocks the thread until a descriptor is ready. A wait that a signal
   * interrupts starts again from the beginning.
   *
   * @param timeout Milliseconds, or {@linkcode FOREVER}.
   * @returns The number of descriptors that are ready, 0 after the timeout.
   * @throws {SystemError} When the kernel refuses to wait.
   */
  wait(timeout: number): number {
    for (;;) {
      const { poll } = this.#libc.symbols;
      const count = poll(this.#pointer, this.#count, timeout);
      if (count >= 0) return count;
      const error = this.#libc.error("wait for file descriptors", "poll");
      if (error.errno !== Errno.EINTR) throw error;
    }
  }

  /**
   * Waits on a thread of the pool and leaves this one free. Far dearer than
   * {@linkcode PollSet.wait}, and the set must be left alone until it is over.
   *
   * @param timeout Milliseconds, or {@linkcode FOREVER}.
   * @returns As for {@linkcode PollSet.wait}.
   * @throws {SystemError} When the kernel refuses to wait.
   */
  async waitInBackground(timeout: number): Promise<number> {
    for (;;) {
      const { pollInBackground } = this.#libc.symbols;
      const count = await pollInBackground(this.#pointer, this.#count, timeout);
      if (count >= 0) return count;
      // The error number stays with that other thread. Asking here without
      // waiting meets the same error again unless it was an interruption.
      this.wait(0);
    }
  }

  /**
   * @param index What {@linkcode PollSet.add} returned.
   * @returns The events of the last wait, errors and hang-ups among them; 0
   * when there were none.
   */
  ready(index: number): number {
    const at = this.#base + index * POLLFD_SIZE + REVENTS_AT;
    return this.#arena.view.getUint16(at, true);
  }
}

/** Bytes of an event counter (eventfd(2)). */
const COUNTER_SIZE = 8;

/**
 * A bell that ends another thread's wait: an eventfd. Its number can be posted
 * to a worker, which then has a bell of its own on the same descriptor.
 */
export class Bell {
  /** The file descriptor, to be put into a {@linkcode PollSet}. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  readonly #sum = new Uint8Array(COUNTER_SIZE);

  /**
   * @param libc The C library of this thread.
   * @param fd A descriptor made by {@linkcode Bell.open}.
   */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /**
   * @param libc The C library of this thread.
   * @throws {SystemError} When there is no descriptor to be had.
   */
  static open(libc: Libc): Bell {
    const fd = libc.symbols.eventfd(0, EFD.CLOEXEC | EFD.NONBLOCK);
    if (fd < 0) throw libc.error("open an event counter", "eventfd");
    return new Bell(libc, fd);
  }

  /** Wakes whoever waits, or will wait before {@linkcode Bell.silence}. */
  ring(): void {
    // A counter that is full refuses the write, and wakes none the less.
    this.#libc.symbols.write(this.fd, this.#one, COUNTER_SIZE);
  }

  /** Forgets all rings so far. */
  silence(): void {
    this.#libc.symbols.read(this.fd, this.#sum, COUNTER_SIZE);
  }

  /** Closes the descriptor, once for all bells on it. */
  close(): void {
    this.#libc.symbols.close(this.fd);
  }
}
