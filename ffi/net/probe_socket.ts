// Sockets that ask the kernel about a way: with a port of their own, connected to
// one address after the other.

import type { Libc } from "../libc.ts";
import {
  copySockaddr,
  SOCKADDR_WORDS,
  sockaddrLength,
  type SocketAddress,
} from "./sockaddr.ts";
import { type SocketWay, UdpSocket } from "./udp.ts";

export class ProbeSocket {
  readonly socket: UdpSocket;
  readonly #libc: Libc;
  readonly #words = new Uint32Array(SOCKADDR_WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #answer = new Int32Array(1);
  readonly #answerBytes = new Uint8Array(this.#answer.buffer);
  readonly #size = new Uint32Array(1);
  readonly #sizeBytes = new Uint8Array(this.#size.buffer);

  /**
   * @param local From which datagrams are sent; its port is taken by nobody.
   * @param way As that of the sockets that send.
   * @throws {SystemError} As {@linkcode UdpSocket.open}.
   */
  constructor(libc: Libc, local: SocketAddress, way: SocketWay) {
    this.#libc = libc;
    this.socket = UdpSocket.open(libc, { ...local, port: 0 }, way);
  }

  /**
   * @param at Of the first word of an address.
   * @returns Whether there is a way there.
   */
  connect(words: Uint32Array, at: number): boolean {
    copySockaddr(words, at, this.#words, 0);
    const { connect } = this.#libc.symbols;
    const length = sockaddrLength(this.#words, 0);
    return connect(this.socket.fd, this.#bytes, length) === 0;
  }

  /**
   * To no address (AF_UNSPEC): the next one may have another way (connect(2)).
   */
  disconnect(): void {
    const { connect } = this.#libc.symbols;
    this.#bytes.fill(0);
    connect(this.socket.fd, this.#bytes, this.#bytes.length);
  }

  /** @returns undefined where the kernel does not tell. */
  option(level: number, name: number): number | undefined {
    this.#size[0] = this.#answerBytes.length;
    const { getsockopt } = this.#libc.symbols;
    const { fd } = this.socket;
    const size = this.#sizeBytes;
    return getsockopt(fd, level, name, this.#answerBytes, size) === 0
      ? this.#answer[0]
      : undefined;
  }

  close(): void {
    this.socket.close();
  }
}
