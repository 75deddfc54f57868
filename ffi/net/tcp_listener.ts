// TCP sockets that accept connections (tcp(7)).

import { AF, SO, SOCK, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { Readiness } from "./readiness.ts";
import {
  readSockaddr,
  SOCKADDR_SIZE,
  sockaddrLength,
  type SocketAddress,
  writeSockaddr,
} from "./sockaddr.ts";
import type { SocketLibc } from "./socket_libc.ts";
import { StreamListener } from "./stream_listener.ts";
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
    setFlag(libc, fd, SO.KEEPALIVE, "have a TCP socket kept alive");
  }
}

export class TcpListener {
  /** With the port that the kernel chose for 0. */
  readonly local: SocketAddress;
  readonly #listener: StreamListener<TcpStream>;

  /**
   * For all addresses of IPv6 it serves IPv4 as well, whose addresses are
   * mapped then, unless the administrator wants it otherwise
   * (net.ipv6.bindv6only).
   * @throws {SystemError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EAFNOSUPPORT`,
   * `EACCES` and others.
   */
  constructor(libc: SocketLibc, readiness: Readiness, local: SocketAddress) {
    const fd = openTcpSocket(libc, local);
    try {
      // What is left of earlier connections would hold the port for minutes.
      setFlag(libc, fd, SO.REUSEADDR, "let a port be used again");
      bind(libc, fd, local);
      this.local = localAddress(libc, fd);
      const bytes = new Uint8Array(SOCKADDR_SIZE);
      const view = new DataView(bytes.buffer);
      this.#listener = new StreamListener(libc, readiness, {
        fd,
        place: `at TCP port ${this.local.port}`,
        from: { bytes, size: new Uint32Array(1) },
        welcome: (fd) =>
          new TcpStream(libc, readiness, fd, readSockaddr(view, 0)),
      });
    } catch (error) {
      libc.symbols.close(fd);
      throw error;
    }
  }

  /** As {@linkcode StreamListener.accept}. */
  accept(): Promise<TcpStream> {
    return this.#listener.accept();
  }

  /** May be called again. */
  close(): void {
    this.#listener.close();
  }
}

function openTcpSocket(libc: Libc, { address }: SocketAddress): number {
  const family = address.length === 16 ? AF.INET6 : AF.INET;
  const fd = libc.symbols.socket(family, SOCK.STREAM | STREAM_FLAGS, 0);
  if (fd < 0) throw libc.error("open a TCP socket", "socket");
  return fd;
}

function bind(libc: Libc, fd: number, local: SocketAddress): void {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  writeSockaddr(new DataView(bytes.buffer), 0, local);
  const length = sockaddrLength(new Uint32Array(bytes.buffer), 0);
  if (libc.symbols.bind(fd, bytes, length) === 0) return;
  throw libc.error(`bind a TCP socket to port ${local.port}`, "bind");
}

function localAddress(libc: Libc, fd: number): SocketAddress {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  const size = Uint32Array.of(SOCKADDR_SIZE);
  if (libc.symbols.getsockname(fd, bytes, size) === 0) {
    return readSockaddr(new DataView(bytes.buffer), 0);
  }
  throw libc.error("find the address of a TCP socket", "getsockname");
}

function setFlag(libc: Libc, fd: number, option: number, what: string): void {
  const one = new Uint8Array(Int32Array.of(1).buffer);
  const { setsockopt } = libc.symbols;
  if (setsockopt(fd, SOL.SOCKET, option, one, one.length) === 0) return;
  throw libc.error(what, "setsockopt");
}
