/**
 * Letting in whoever connects to a unix socket (unix(7)).
 *
 * @module
 */

import { Errno } from "./errno.ts";
import type { Identity } from "./identity.ts";
import { POLLIN } from "./poll.ts";
import type { Readiness } from "./readiness.ts";
import { SocketFile } from "./socket_file.ts";
import type { SocketLibc } from "./socket_libc.ts";
import {
  closeSocket,
  openUnixSocket,
  STREAM_FLAGS,
  UnixStream,
} from "./unix_stream.ts";

/** Clients that may wait to be let in. */
const BACKLOG = 128;

/** A socket with a name, which one user alone can connect to. */
export class UnixListener {
  readonly #libc: SocketLibc;
  readonly #readiness: Readiness;
  readonly #path: string;
  readonly #fd: number;
  readonly #file: SocketFile;
  #isOpen = true;

  /**
   * @param path The name. A socket of a dead server gives way.
   * @param owner Whom the file is to belong to, if not to this user.
   * @throws {SystemError} When it cannot be made.
   * @throws {Error} When the name is that of something else, or of a server
   * that listens.
   */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    path: string,
    owner?: Identity,
  ) {
    this.#libc = libc;
    this.#readiness = readiness;
    this.#path = path;
    this.#fd = openUnixSocket(libc);
    try {
      this.#file = SocketFile.bind(libc, this.#fd, path, owner);
      this.#listen();
    } catch (error) {
      libc.symbols.close(this.#fd);
      throw error;
    }
  }

  /**
   * Waits for the next one that connects.
   *
   * @throws {SystemError} When the system lacks something now.
   * @throws {Error} When the listener is closed.
   */
  async accept(): Promise<UnixStream> {
    while (this.#isOpen) {
      const { accept4 } = this.#libc.socket;
      const fd = accept4(this.#fd, null, null, STREAM_FLAGS);
      if (fd >= 0) return this.#welcome(fd);
      const error = this.#libc.error(`accept at '${this.#path}'`, "accept4");
      if (error.errno === Errno.EAGAIN) {
        await this.#readiness.until(this.#fd, POLLIN);
      } else if (error.errno !== Errno.EINTR) throw error;
    }
    throw new Error(`Cannot accept at '${this.#path}': it is closed`);
  }

  /**
   * Closes the socket and removes its name, unless that is out of reach by
   * now. May be called again.
   */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.remove();
    closeSocket(this.#libc, this.#readiness, this.#fd);
  }

  #listen(): void {
    if (this.#libc.socket.listen(this.#fd, BACKLOG) === 0) return;
    const error = this.#libc.error(`listen at '${this.#path}'`, "listen");
    this.#file.remove();
    throw error;
  }

  #welcome(fd: number): UnixStream {
    try {
      return new UnixStream(this.#libc, this.#readiness, fd);
    } catch (error) {
      this.#libc.symbols.close(fd);
      throw error;
    }
  }
}
