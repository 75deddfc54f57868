// Datagrams to a unix socket, for syslog (RFC 3164 over /dev/log) and systemd.

import { Errno } from "../errno.ts";
import { AF, MSG, SO, SOCK, SOL } from "../flags.ts";
import type { ProcessLibc } from "../process/libc.ts";
import { unixAddress } from "./sockaddr_un.ts";

/**
 * The kernel queues few datagrams, on many systems ten; a burst of lines is
 * more. So it waits a moment for room, but only once for a listener that has
 * stopped reading.
 */
export class UnixDatagram implements Disposable {
  readonly #libc: ProcessLibc;
  readonly #path: string;
  readonly #patience: number;
  #fd: number;
  #waits: boolean;

  /**
   * @param path An abstract name has `@` in front.
   * @param patience Milliseconds to wait for room, or 0.
   */
  constructor(libc: ProcessLibc, path: string, patience = 0) {
    this.#libc = libc;
    this.#path = path;
    this.#patience = patience;
    this.#waits = patience > 0;
    this.#fd = connect(libc, path, patience);
  }

  /**
   * Connects again where the listener has gone: within a chroot that needs the
   * address inside of it.
   * @throws {SystemError} When it is not sent: `EAGAIN` because the listener
   * does not keep up.
   */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#trySend(bytes)) return;
    const error = this.#libc.error(`send to '${this.#path}'`, "send");
    if (error.errno === Errno.EAGAIN) this.#waits = false;
    if (error.errno !== Errno.ECONNREFUSED && error.errno !== Errno.ENOTCONN) {
      throw error;
    }
    const fd = connect(this.#libc, this.#path, this.#patience);
    this.close();
    this.#fd = fd;
    if (this.#trySend(bytes)) return;
    throw this.#libc.error(`send to '${this.#path}'`, "send");
  }

  close(): void {
    if (this.#fd >= 0) this.#libc.symbols.close(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #trySend(bytes: Uint8Array<ArrayBuffer>): boolean {
    const flags = MSG.NOSIGNAL | (this.#waits ? 0 : MSG.DONTWAIT);
    const { send } = this.#libc.symbols;
    while (send(this.#fd, bytes, bytes.length, flags) < 0) {
      if (this.#libc.errno() !== Errno.EINTR) return false;
    }
    this.#waits = this.#patience > 0;
    return true;
  }
}

function connect(libc: ProcessLibc, path: string, patience: number): number {
  const { bytes, size } = unixAddress(path);
  const fd = libc.symbols.socket(AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  if (fd < 0) throw libc.error("open a unix socket", "socket");
  limitWaiting(libc, fd, patience);
  if (libc.symbols.connect(fd, bytes, size) === 0) return fd;
  const error = libc.error(`reach '${path}'`, "connect");
  libc.symbols.close(fd);
  throw error;
}

function limitWaiting(libc: ProcessLibc, fd: number, patience: number): void {
  // struct timeval { time_t tv_sec; suseconds_t tv_usec; }
  const timeval = new BigInt64Array([
    BigInt(Math.trunc(patience / 1000)),
    BigInt(patience % 1000 * 1000),
  ]);
  const size = timeval.byteLength;
  libc.symbols.setsockopt(fd, SOL.SOCKET, SO.SNDTIMEO, timeval, size);
}
