// A pair of connected sockets that keep message boundaries (socketpair(2)).

import { AF, SOCK } from "../flags.ts";
import type { Libc } from "../libc.ts";

/** They do not block. */
export class SocketPair implements Disposable {
  readonly near: number;
  readonly far: number;
  readonly #libc: Libc;

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

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.near);
    this.#libc.symbols.close(this.far);
  }
}
