/**
 * Waiting for many file descriptors on behalf of the event loop, with one
 * thread of the pool for all of them.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { Arena } from "./memory.ts";
import { Bell, FOREVER, PollSet } from "./poll.ts";

/** Waits at a time: as many as a page of an arena holds, with the bell. */
const CAPACITY = 8192;

interface Wait {
  readonly fd: number;
  readonly events: number;
  /** True: go on and try; false: the descriptor is forgotten. */
  readonly end: PromiseWithResolvers<boolean>;
}

/**
 * Tells when descriptors may be read or written. While nobody waits, it does
 * not run at all.
 */
export class Readiness {
  readonly #bell: Bell;
  readonly #set: PollSet;
  readonly #waits = new Set<Wait>();
  #running: Promise<void> | undefined;

  /**
   * @param libc The C library of this thread.
   * @throws {SystemError} When there is no descriptor to be had.
   */
  constructor(libc: Libc) {
    this.#bell = Bell.open(libc);
    this.#set = new PollSet(libc, new Arena(1), CAPACITY);
  }

  /**
   * Waits until a call on a descriptor is worth another try. It may still find
   * nothing to do.
   *
   * @param events `POLLIN` or `POLLOUT`.
   * @returns false once the descriptor is forgotten.
   * @throws {RangeError} When too many wait already.
   * @throws {SystemError} When the kernel refuses to wait.
   */
  async until(fd: number, events: number): Promise<boolean> {
    if (this.#waits.size >= CAPACITY - 1) {
      throw new RangeError(
        `Cannot wait for another descriptor: there are ${this.#waits.size} waits already`,
      );
    }
    const end = Promise.withResolvers<boolean>();
    this.#waits.add({ fd, events, end });
    if (this.#running === undefined) this.#running = this.#run();
    else this.#bell.ring();
    return await end.promise;
  }

  /**
   * Ends all waits for a descriptor. To be called before it is closed: its
   * number may have another meaning at once.
   */
  forget(fd: number): void {
    for (const wait of this.#waits) {
      if (wait.fd === fd) this.#end(wait, false);
    }
    this.#bell.ring();
  }

  /** Ends all waits, and gives back what it has. */
  async close(): Promise<void> {
    for (const wait of this.#waits) this.#end(wait, false);
    this.#bell.ring();
    await this.#running;
    this.#bell.close();
  }

  #end(wait: Wait, value: boolean): void {
    // A wait that was forgotten during a round is not for that round to end.
    if (this.#waits.delete(wait)) wait.end.resolve(value);
  }

  async #run(): Promise<void> {
    try {
      while (this.#waits.size > 0) await this.#round();
    } catch (error) {
      for (const { end } of this.#waits) end.reject(error);
      this.#waits.clear();
    }
    this.#running = undefined;
  }

  /** Waits for all that are waited for now, until one is ready. */
  async #round(): Promise<void> {
    const waits = [...this.#waits];
    this.#set.clear();
    this.#set.add(this.#bell.fd);
    const indices = waits.map(({ fd, events }) => this.#set.add(fd, events));
    await this.#set.waitInBackground(FOREVER);
    this.#bell.silence();
    for (const [k, wait] of waits.entries()) {
      // Errors and hang-ups count: the next call finds out what it is.
      if (this.#set.ready(indices[k] ?? 0) !== 0) this.#end(wait, true);
    }
  }
}
