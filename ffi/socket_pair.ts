/**
 * Two connected sockets within this process, which keep the borders between
 * messages: what is written to one is read from the other (socketpair(2)).
 *
 * @module
 */

import { AF, SOCK } from "./flags.ts";
import type { Libc } from "./libc.ts";

/** A pair of sockets that do not block. */
export class SocketPair implements Disposable {
  /** The file descriptor of one end. */
  readonly near: number;
  /** The file descriptor of the other end. */
  readonly far: number;
  readonly #libc: Libc;

  /**
   * @param libc The C library of this thread.
   * @throws {SystemError} When there are no descriptors to be had.
   */
  constructor(libc: Libc) {
    const pair = new Int32Array(2);
    const type = SOCK.SEQPACKET | SOCK.NONBLOCK | SOCK.CLOEXEC;
    const room = new Uint8Array(pair.buffer);
    if (libc.symbols.socketpair(AF.UNIX, type, 0, room) < 0) {
      throw libc.error("make a pair of sockets", "socketpair");
    }
    [this.near = -1, this.far = -1] = pair;
    this.#libc = libc;
  }

  /** Closes both ends. */
  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.near);
    this.#libc.symbols.close(this.far);
  }
}
