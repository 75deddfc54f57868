// Probe of a UDP port: whether anybody listens there. A socket that sends to many
// is not told (udp(7)); one that is connected is.

import { SO, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { Errno } from "../errno.ts";
import {
  copySockaddr,
  SOCKADDR_WORDS,
  sockaddrLength,
  type SocketAddress,
} from "./sockaddr.ts";
import { type SocketWay, UdpSocket } from "./udp.ts";

const NOTHING = new Uint8Array(0);

export class PortProbe implements Disposable {
  readonly #libc: Libc;
  readonly #socket: UdpSocket;

  private constructor(libc: Libc, socket: UdpSocket) {
    this.#libc = libc;
    this.#socket = socket;
  }

  /**
   * @param local From which datagrams are sent; its port is taken by nobody.
   * @throws {SystemError} As {@linkcode UdpSocket.open}.
   */
  static open(libc: Libc, local: SocketAddress, way: SocketWay): PortProbe {
    const from = { ...local, port: 0 };
    return new PortProbe(libc, UdpSocket.open(libc, from, false, way));
  }

  /** Sends an empty datagram, which peers drop. */
  knock(words: Uint32Array, at: number): void {
    const { connect, send } = this.#libc.symbols;
    const { fd } = this.#socket;
    const address = new Uint32Array(SOCKADDR_WORDS);
    copySockaddr(words, at, address, 0);
    const bytes = new Uint8Array(address.buffer);
    if (connect(fd, bytes, sockaddrLength(address, 0)) !== 0) return;
    send(fd, NOTHING, 0, 0);
  }

  /** Whether the other host has answered that the port is closed. */
  get isRefused(): boolean {
    const { getsockopt } = this.#libc.symbols;
    const answer = new Int32Array(1);
    const size = Uint32Array.of(answer.byteLength);
    return getsockopt(
          this.#socket.fd,
          SOL.SOCKET,
          SO.ERROR,
          new Uint8Array(answer.buffer),
          new Uint8Array(size.buffer),
        ) === 0 && answer[0] === Errno.ECONNREFUSED;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
