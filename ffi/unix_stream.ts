/**
 * Streams through unix sockets (unix(7)), which tell who is at the other end.
 *
 * @module
 */

import { Errno, SystemError } from "./errno.ts";
import { AF, MSG, SHUT, SO, SOCK, SOL } from "./flags.ts";
import type { Libc } from "./libc.ts";
import { POLLIN, POLLOUT } from "./poll.ts";
import type { Readiness } from "./readiness.ts";
import { unixAddress } from "./sockaddr_un.ts";
import type { SocketLibc } from "./socket_libc.ts";

// struct ucred { pid_t pid; uid_t uid; gid_t gid; }
const UCRED_SIZE = 12;
const UCRED_UID_AT = 4;

/** Flags of every descriptor here. */
export const STREAM_FLAGS = SOCK.NONBLOCK | SOCK.CLOEXEC;

/**
 * Opens a stream socket that does not block.
 *
 * @returns Its descriptor.
 * @throws {SystemError} When there is none to be had.
 */
export function openUnixSocket(libc: Libc): number {
  const fd = libc.symbols.socket(AF.UNIX, SOCK.STREAM | STREAM_FLAGS, 0);
  if (fd < 0) throw libc.error("open a unix socket", "socket");
  return fd;
}

/**
 * Connects to whoever listens at a path. It is done at once, or fails.
 *
 * @param path The path of a socket.
 * @throws {SystemError} When nobody listens there, with `EAGAIN` when too many
 * wait to be let in.
 * @throws {RangeError} When the path is longer than 107 bytes.
 */
export function connectUnix(
  libc: SocketLibc,
  readiness: Readiness,
  path: string,
): UnixStream {
  const { bytes, size } = unixAddress(path);
  const fd = openUnixSocket(libc);
  try {
    if (libc.process.connect(fd, bytes, size) !== 0) {
      throw libc.error(`connect to '${path}'`, "connect");
    }
    return new UnixStream(libc, readiness, fd);
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/** One end of a connection. */
export class UnixStream {
  /**
   * The effective user of whoever connected or listens at the other end, at
   * the time when they began to.
   */
  readonly uid: number;
  readonly #libc: SocketLibc;
  readonly #readiness: Readiness;
  readonly #fd: number;
  #isOpen = true;

  /**
   * @param fd A connected socket that does not block, which becomes this
   * object's.
   * @throws {SystemError} When the kernel does not tell who is at the other
   * end; the socket stays open.
   */
  constructor(libc: SocketLibc, readiness: Readiness, fd: number) {
    this.#libc = libc;
    this.#readiness = readiness;
    this.#fd = fd;
    this.uid = peerUser(libc, fd);
  }

  /**
   * Reads what is there, at least one byte.
   *
   * @param into Where to; not empty.
   * @returns The number of bytes, or null at the end.
   * @throws {SystemError} When the connection is broken.
   * @throws {Error} When this end is closed.
   */
  async read(into: Uint8Array): Promise<number | null> {
    const bytes = new Uint8Array(into.length);
    const { recv } = this.#libc.symbols;
    const count = await this.#try(
      "read from",
      "recv",
      POLLIN,
      () => recv(this.#fd, bytes, bytes.length, MSG.DONTWAIT),
    );
    into.set(bytes.subarray(0, count));
    return count === 0 ? null : count;
  }

  /**
   * Writes some of the bytes, at least one of them, as soon as there is room.
   *
   * @returns How many.
   * @throws {SystemError} When the connection is broken.
   * @throws {Error} When this end is closed.
   */
  async write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice();
    const { send } = this.#libc.symbols;
    const flags = MSG.DONTWAIT | MSG.NOSIGNAL;
    return await this.#try(
      "write to",
      "send",
      POLLOUT,
      () => send(this.#fd, copy, copy.length, flags),
    );
  }

  /** Ends it, with whatever reads and writes wait. May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSocket(this.#libc, this.#readiness, this.#fd);
  }

  /** Calls until it works, and waits in between. */
  async #try(
    what: string,
    syscall: string,
    events: number,
    call: () => number,
  ): Promise<number> {
    while (this.#isOpen) {
      const count = call();
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === Errno.EINTR) continue;
      if (errno !== Errno.EAGAIN) {
        throw new SystemError(`${what} a unix socket`, syscall, errno);
      }
      await this.#readiness.until(this.#fd, events);
    }
    throw new Error(`Cannot ${what} a unix socket: it is closed`);
  }
}

/** Closes a socket for both ends at once, whoever still waits for it. */
export function closeSocket(
  libc: SocketLibc,
  readiness: Readiness,
  fd: number,
): void {
  // A thread of the pool that waits keeps the socket alive for a moment.
  libc.socket.shutdown(fd, SHUT.RDWR);
  readiness.forget(fd);
  libc.symbols.close(fd);
}

function peerUser(libc: Libc, fd: number): number {
  const ucred = new Uint8Array(UCRED_SIZE);
  const size = Uint32Array.of(UCRED_SIZE);
  const { getsockopt } = libc.symbols;
  if (getsockopt(fd, SOL.SOCKET, SO.PEERCRED, ucred, size) !== 0) {
    throw libc.error("find the user at the other end", "getsockopt");
  }
  return new DataView(ucred.buffer).getUint32(UCRED_UID_AT, true);
}
