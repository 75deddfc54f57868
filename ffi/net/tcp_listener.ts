// TCP sockets that accept connections (tcp(7)).

import { SO, SOL } from "../flags.ts";
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
import {
  localAddress,
  openTcpSocket,
  setTcpOption,
  TcpStream,
} from "./tcp_stream.ts";

export class TcpListener {
  /** With the port that the kernel chose for 0. */
  readonly local: SocketAddress;
  readonly #listener: StreamListener<TcpStream>;

  /**
   * For all addresses of IPv6 it serves IPv4 as well, whose addresses are
   * mapped then, unless the administrator wants it otherwise
   * (net.ipv6.bindv6only).
   * @param isLater Whether others are refused until {@linkcode listen}.
   * @throws {SystemError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EAFNOSUPPORT`,
   * `EACCES` and others.
   */
  constructor(
    libc: SocketLibc,
    readiness: Readiness,
    local: SocketAddress,
    isLater = false,
  ) {
    const fd = openTcpSocket(libc, local);
    try {
      // What is left of earlier connections would hold the port for minutes.
      setTcpOption(
        libc,
        fd,
        [SOL.SOCKET, SO.REUSEADDR, 1],
        "let a port be used again",
      );
      bind(libc, fd, local);
      this.local = localAddress(libc, fd);
      const bytes = new Uint8Array(SOCKADDR_SIZE);
      const view = new DataView(bytes.buffer);
      this.#listener = new StreamListener(libc, readiness, {
        ...{ fd, isLater },
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

  /** As {@linkcode StreamListener.listen}. */
  listen(): void {
    this.#listener.listen();
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

function bind(libc: Libc, fd: number, local: SocketAddress): void {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  writeSockaddr(new DataView(bytes.buffer), 0, local);
  const length = sockaddrLength(new Uint32Array(bytes.buffer), 0);
  if (libc.symbols.bind(fd, bytes, length) === 0) return;
  throw libc.error(`bind a TCP socket to port ${local.port}`, "bind");
}
