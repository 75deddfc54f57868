// Unix stream sockets that accept connections (unix(7)).

import { Errno } from "../errno.ts";
import type { Identity } from "../process/identity.ts";
import { POLLIN } from "../poll.ts";
import type { Readiness } from "./readiness.ts";
import { SocketFile } from "./socket_file.ts";
import type { SocketLibc } from "./socket_libc.ts";
import {
  closeSocket,
  openUnixSocket,
  STREAM_FLAGS,
  UnixStream,
} from "./unix_stream.ts";

const BACKLOG = 128;

/** Only one user can connect to it. */
export class UnixListener {
  readonly #libc: SocketLibc;
  readonly #readiness: Readiness;
  readonly #path: string;
  readonly #fd: number;
  readonly #file: SocketFile;
  #isOpen = true;

  /**
   * @param owner Owner of the file, if not this user.
   * @throws As {@linkcode SocketFile.bind}.
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
   * Removes the name too, unless that is out of reach by now. May be called
   * again.
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
