// Connected TCP sockets (tcp(7)).

import { AF, SO, SOCK, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { Readiness } from "./readiness.ts";
import { readSockaddr, SOCKADDR_SIZE, type SocketAddress } from "./sockaddr.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { STREAM_FLAGS, StreamSocket } from "./stream_socket.ts";

export class TcpStream extends StreamSocket {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;

  /**
   * @param fd Connected, does not block; becomes this object's unless this
   * throws.
   * @param remote As accept4(2) tells it, also of a peer that is gone again.
   */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    fd: number,
    remote: SocketAddress,
  ) {
    super(libc, readiness, fd, "a TCP socket");
    this.local = localAddress(libc, fd);
    this.remote = remote;
    // A peer whose host has vanished is noticed by nothing else.
    const alive = [SOL.SOCKET, SO.KEEPALIVE, 1] as const;
    setTcpOption(libc, fd, alive, "have a TCP socket kept alive");
  }
}

export function openTcpSocket(libc: Libc, { address }: SocketAddress): number {
  const family = address.length === 16 ? AF.INET6 : AF.INET;
  const fd = libc.symbols.socket(family, SOCK.STREAM | STREAM_FLAGS, 0);
  if (fd < 0) throw libc.error("open a TCP socket", "socket");
  return fd;
}

export function localAddress(libc: Libc, fd: number): SocketAddress {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  const size = Uint32Array.of(SOCKADDR_SIZE);
  if (libc.symbols.getsockname(fd, bytes, size) === 0) {
    return readSockaddr(new DataView(bytes.buffer), 0);
  }
  throw libc.error("find the address of a TCP socket", "getsockname");
}

/** @param option Its level, its name and its value */
export function setTcpOption(
  libc: Libc,
  fd: number,
  [level, name, value]: readonly [number, number, number],
  what: string,
): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  const { setsockopt } = libc.symbols;
  if (setsockopt(fd, level, name, bytes, bytes.length) === 0) return;
  throw libc.error(what, "setsockopt");
}
