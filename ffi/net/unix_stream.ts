// Unix stream sockets (unix(7)), which tell who is at the other end.

import { Errno, SystemError } from "../errno.ts";
import { AF, MSG, SHUT, SO, SOCK, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { POLLIN, POLLOUT } from "../poll.ts";
import type { Readiness } from "./readiness.ts";
import { unixAddress } from "./sockaddr_un.ts";
import type { SocketLibc } from "./socket_libc.ts";

// struct ucred { pid_t pid; uid_t uid; gid_t gid; }
const UCRED_SIZE = 12;
const UCRED_UID_AT = 4;

export const STREAM_FLAGS = SOCK.NONBLOCK | SOCK.CLOEXEC;

export function openUnixSocket(libc: Libc): number {
  const fd = libc.symbols.socket(AF.UNIX, SOCK.STREAM | STREAM_FLAGS, 0);
  if (fd < 0) throw libc.error("open a unix socket", "socket");
  return fd;
}

/**
 * Done at once, or fails.
 * @throws {SystemError} When nobody listens there, `EAGAIN` when the backlog is
 * full.
 */
export function connectUnix(
  libc: SocketLibc,
  readiness: Readiness,
  path: string,
): UnixStream {
  const { bytes, size } = unixAddress(path);
  const fd = openUnixSocket(libc);
  try {
    if (libc.symbols.connect(fd, bytes, size) !== 0) {
      throw libc.error(`connect to '${path}'`, "connect");
    }
    return new UnixStream(libc, readiness, fd);
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

export class UnixStream {
  /** Effective user at the other end when it connected or began to listen. */
  readonly uid: number;
  readonly #libc: SocketLibc;
  readonly #readiness: Readiness;
  readonly #fd: number;
  #isOpen = true;

  /**
   * @param fd Connected, does not block; becomes this object's unless this
   * throws.
   */
  constructor(libc: SocketLibc, readiness: Readiness, fd: number) {
    this.#libc = libc;
    this.#readiness = readiness;
    this.#fd = fd;
    this.uid = peerUser(libc, fd);
  }

  /**
   * @param into Not empty.
   * @returns At least one byte, or null at the end.
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

  /** As soon as there is room for one byte. */
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

  /** Ends pending reads and writes as well. May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSocket(this.#libc, this.#readiness, this.#fd);
  }

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

export function closeSocket(
  libc: SocketLibc,
  readiness: Readiness,
  fd: number,
): void {
  // Pending waits in the pool keep the socket alive for a moment.
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
