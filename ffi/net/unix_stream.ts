// Unix stream sockets (unix(7)), which tell who is at the other end.

import { AF, SO, SOCK, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { Readiness } from "./readiness.ts";
import { unixAddress } from "./sockaddr_un.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { STREAM_FLAGS, StreamSocket } from "./stream_socket.ts";

// struct ucred { pid_t pid; uid_t uid; gid_t gid; }
const UCRED_SIZE = 12;
const UCRED_UID_AT = 4;

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

export class UnixStream extends StreamSocket {
  /** Effective user at the other end when it connected or began to listen. */
  readonly uid: number;

  /**
   * @param fd Connected, does not block; becomes this object's unless this
   * throws.
   */
  constructor(libc: SocketLibc, readiness: Readiness, fd: number) {
    super(libc, readiness, fd, "a unix socket");
    this.uid = peerUser(libc, fd);
  }
}

/** Effective user at the other end when it connected or began to listen. */
export function peerUser(libc: Libc, fd: number): number {
  const ucred = new Uint8Array(UCRED_SIZE);
  const size = Uint32Array.of(UCRED_SIZE);
  const { getsockopt } = libc.symbols;
  if (getsockopt(fd, SOL.SOCKET, SO.PEERCRED, ucred, size) !== 0) {
    throw libc.error("find the user at the other end", "getsockopt");
  }
  return new DataView(ucred.buffer).getUint32(UCRED_UID_AT, true);
}
