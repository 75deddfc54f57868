// Connected stream sockets of any family.

import { MSG, SOCK } from "../flags.ts";
import { POLLIN, POLLOUT } from "../poll.ts";
import { PatientSocket } from "./patient_socket.ts";
import type { Readiness } from "./readiness.ts";
import type { SocketLibc } from "./socket_libc.ts";

export const STREAM_FLAGS = SOCK.NONBLOCK | SOCK.CLOEXEC;

export class StreamSocket {
  readonly #libc: SocketLibc;
  readonly #socket: PatientSocket;
  readonly #name: string;

  /**
   * @param fd Connected, does not block; becomes this object's.
   * @param name For messages, such as `a unix socket`.
   */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    fd: number,
    name: string,
  ) {
    this.#libc = libc;
    this.#socket = new PatientSocket(libc, readiness, fd);
    this.#name = name;
  }

  /**
   * @param into Not empty.
   * @returns At least one byte, or null at the end.
   */
  async read(into: Uint8Array): Promise<number | null> {
    const bytes = new Uint8Array(into.length);
    const { recv } = this.#libc.symbols;
    const { fd } = this.#socket;
    const count = await this.#socket.until(
      `read from ${this.#name}`,
      "recv",
      POLLIN,
      () => recv(fd, bytes, bytes.length, MSG.DONTWAIT),
    );
    into.set(bytes.subarray(0, count));
    return count === 0 ? null : count;
  }

  /** As soon as there is room for one byte. */
  async write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice();
    const { send } = this.#libc.symbols;
    const { fd } = this.#socket;
    return await this.#socket.until(
      `write to ${this.#name}`,
      "send",
      POLLOUT,
      () => send(fd, copy, copy.length, MSG.DONTWAIT | MSG.NOSIGNAL),
    );
  }

  /** Ends pending reads and writes as well. May be called again. */
  close(): void {
    this.#socket.close();
  }
}
