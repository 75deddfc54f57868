// TCP sockets that connect, and notice within seconds that the other host is gone.

import { Errno, SystemError } from "../errno.ts";
import { IPPROTO } from "../flags.ts";
import { POLLOUT } from "../poll.ts";
import type { Readiness } from "./readiness.ts";
import {
  SOCKADDR_SIZE,
  sockaddrLength,
  type SocketAddress,
  writeSockaddr,
} from "./sockaddr.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { openTcpSocket, setTcpOption, TcpStream } from "./tcp_stream.ts";

/** include/uapi/linux/tcp.h */
const TCP = {
  KEEPIDLE: 4,
  KEEPINTVL: 5,
  KEEPCNT: 6,
  USER_TIMEOUT: 18,
} as const;

/** Seconds of silence, after which the other host is asked. */
const IDLE_S = 3;
/** Seconds between two questions. */
const BETWEEN_S = 2;
const QUESTIONS = 3;

const OPTIONS = [
  [IPPROTO.TCP, TCP.KEEPIDLE, IDLE_S],
  [IPPROTO.TCP, TCP.KEEPINTVL, BETWEEN_S],
  [IPPROTO.TCP, TCP.KEEPCNT, QUESTIONS],
  // Of what was sent and is not answered.
  [IPPROTO.TCP, TCP.USER_TIMEOUT, (IDLE_S + QUESTIONS * BETWEEN_S) * 1000],
] as const;

/**
 * @returns A stream that breaks 9 s after the other host, or the way there, has
 * gone.
 * @throws {SystemError} `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH` and others.
 * @throws {unknown} The reason of the signal.
 */
export async function connectTcp(
  libc: SocketLibc,
  readiness: Readiness,
  remote: SocketAddress,
  signal: AbortSignal,
): Promise<TcpStream> {
  signal.throwIfAborted();
  const fd = openTcpSocket(libc, remote);
  const forget = () => readiness.forget(fd);
  signal.addEventListener("abort", forget);
  try {
    for (const option of OPTIONS) {
      setTcpOption(libc, fd, option, "have the end of a host noticed");
    }
    while (!isConnected(libc, fd, remote)) {
      await readiness.until(fd, POLLOUT);
      signal.throwIfAborted();
    }
    return new TcpStream(libc, readiness, fd, remote);
  } catch (error) {
    readiness.forget(fd);
    libc.symbols.close(fd);
    throw error;
  } finally {
    signal.removeEventListener("abort", forget);
  }
}

/**
 * Begins it, or looks what has become of it (connect(2)).
 * @throws {SystemError} When it has failed.
 */
function isConnected(
  libc: SocketLibc,
  fd: number,
  remote: SocketAddress,
): boolean {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  writeSockaddr(new DataView(bytes.buffer), 0, remote);
  const length = sockaddrLength(new Uint32Array(bytes.buffer), 0);
  if (libc.symbols.connect(fd, bytes, length) === 0) return true;
  const errno = libc.errno();
  const pending: readonly number[] = [
    ...[Errno.EINPROGRESS, Errno.EALREADY, Errno.EINTR],
  ];
  if (pending.includes(errno)) return false;
  throw new SystemError("connect by TCP", "connect", errno);
}
