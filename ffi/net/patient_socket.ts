// Calls of one socket that do not block, for the event loop.

import { Errno, SystemError } from "../errno.ts";
import { SHUT } from "../flags.ts";
import type { Readiness } from "./readiness.ts";
import type { SocketLibc } from "./socket_libc.ts";

/**
 * How often in a row there is no wait: a peer that always has more would keep
 * the thread from all other work, as what is done at once lets nothing else in.
 */
const UNBROKEN = 32;

export class PatientSocket {
  readonly fd: number;
  readonly #libc: SocketLibc;
  readonly #readiness: Readiness;
  #unbroken = 0;
  #isOpen = true;

  /** @param fd Does not block; becomes this object's. */
  constructor(libc: SocketLibc, readiness: Readiness, fd: number) {
    this.#libc = libc;
    this.#readiness = readiness;
    this.fd = fd;
  }

  /**
   * Waits until the call has something to do.
   * @param what What it does, without the word "Cannot".
   * @param events That it waits for: `POLLIN` or `POLLOUT`.
   * @returns What it does, not below 0.
   * @throws {SystemError} When the call fails.
   * @throws {Error} When the socket is closed.
   */
  async until(
    what: string,
    syscall: string,
    events: number,
    call: () => number,
  ): Promise<number> {
    let goesOn = ++this.#unbroken <= UNBROKEN || await this.#wait(events);
    while (goesOn && this.#isOpen) {
      const result = call();
      if (result >= 0) return result;
      const errno = this.#libc.errno();
      if (errno === Errno.EINTR) continue;
      if (errno !== Errno.EAGAIN) throw new SystemError(what, syscall, errno);
      goesOn = await this.#wait(events);
    }
    throw new Error(`Cannot ${what}: it is closed`);
  }

  /** Ends pending calls as well, at both ends. May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Pending waits in the pool keep the socket alive for a moment.
    this.#libc.socket.shutdown(this.fd, SHUT.RDWR);
    this.#readiness.forget(this.fd);
    this.#libc.symbols.close(this.fd);
  }

  /** @returns false where nobody waits any more. */
  async #wait(events: number): Promise<boolean> {
    this.#unbroken = 0;
    return this.#isOpen && await this.#readiness.until(this.fd, events);
  }
}
