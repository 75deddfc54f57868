// Readiness of many file descriptors for the event loop, by one thread of the
// pool.

import type { Libc } from "../libc.ts";
import { Arena } from "../memory.ts";
import { EventFd, FOREVER, PollSet } from "../poll.ts";

/** As many as a page of an arena holds, with the eventfd. */
const CAPACITY = 8192;

interface Wait {
  readonly fd: number;
  readonly events: number;
  /** False: the descriptor is forgotten. */
  readonly end: PromiseWithResolvers<boolean>;
}

/** While nobody waits, it does not run at all. */
export class Readiness {
  readonly #wakeup: EventFd;
  readonly #set: PollSet;
  readonly #waits = new Set<Wait>();
  #running: Promise<void> | undefined;

  constructor(libc: Libc) {
    this.#wakeup = EventFd.open(libc);
    this.#set = new PollSet(libc, new Arena(1), CAPACITY);
  }

  /**
   * Until a call is worth another try, which may still find nothing to do.
   * @param events `POLLIN` or `POLLOUT`.
   * @returns false once the descriptor is forgotten.
   * @throws {RangeError} When too many wait already.
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
    else this.#wakeup.signal();
    return await end.promise;
  }

  /**
   * To be called before a descriptor is closed: its number may be reused at
   * once.
   */
  forget(fd: number): void {
    for (const wait of this.#waits) {
      if (wait.fd === fd) this.#end(wait, false);
    }
    this.#wakeup.signal();
  }

  async close(): Promise<void> {
    for (const wait of this.#waits) this.#end(wait, false);
    this.#wakeup.signal();
    await this.#running;
    this.#wakeup.close();
  }

  #end(wait: Wait, value: boolean): void {
    // One that was forgotten during a round may be gone.
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

  async #round(): Promise<void> {
    const waits = [...this.#waits];
    this.#set.clear();
    this.#set.add(this.#wakeup.fd);
    const indices = waits.map(({ fd, events }) => this.#set.add(fd, events));
    await this.#set.waitInBackground(FOREVER);
    this.#wakeup.drain();
    for (const [k, wait] of waits.entries()) {
      // Errors and hang-ups count: the next call reports them.
      if (this.#set.ready(indices[k] ?? 0) !== 0) this.#end(wait, true);
    }
  }
}
