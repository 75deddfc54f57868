// Path MTU to an address as the kernel knows it: that of the device and of the
// route, or what routers have told within the last ten minutes.

import { IP, IPPROTO, IPV6 } from "../flags.ts";
import type { Libc } from "../libc.ts";
import {
  copySockaddr,
  SOCKADDR_SIZE,
  SOCKADDR_WORDS,
  sockaddrFamily,
  sockaddrLength,
  type SocketAddress,
} from "./sockaddr.ts";
import { type SocketWay, UdpSocket } from "./udp.ts";

/** A socket that sends nothing, and that nothing reaches but in between. */
export class PathProbe {
  readonly #libc: Libc;
  readonly #socket: UdpSocket;
  readonly #words = new Uint32Array(SOCKADDR_WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #nowhere = new Uint8Array(SOCKADDR_SIZE);
  readonly #answer = new Int32Array(1);
  readonly #answerBytes = new Uint8Array(this.#answer.buffer);
  readonly #size = new Uint32Array(1);
  readonly #sizeBytes = new Uint8Array(this.#size.buffer);

  private constructor(libc: Libc, socket: UdpSocket) {
    this.#libc = libc;
    this.#socket = socket;
  }

  /**
   * @param local Whose paths are meant; its port is taken by nobody.
   * @param way As that of the sockets that send.
   * @throws {SystemError} As {@linkcode UdpSocket.open}.
   */
  static open(
    libc: Libc,
    local: SocketAddress,
    way: SocketWay = {},
  ): PathProbe {
    const from = { ...local, port: 0 };
    return new PathProbe(libc, UdpSocket.open(libc, from, false, way));
  }

  /** Of the address alone. */
  get family(): 4 | 6 {
    return this.#socket.local.address.length === 16 ? 6 : 4;
  }

  /** As {@linkcode UdpSocket.setMark}. */
  setMark(mark: number): void {
    this.#socket.setMark(mark);
  }

  /**
   * @param at Of the first word of an address.
   * @returns Bytes of an IP packet that passes in one piece, or 0 when there is
   * no way there now.
   */
  mtu(words: Uint32Array, at: number): number {
    if (sockaddrFamily(words, at) !== this.family) return 0;
    copySockaddr(words, at, this.#words, 0);
    const { connect } = this.#libc.symbols;
    const { fd } = this.#socket;
    const length = sockaddrLength(this.#words, 0);
    const mtu = connect(fd, this.#bytes, length) === 0 ? this.#mtu() : 0;
    // To no address (AF_UNSPEC): the next one may have another way (connect(2)).
    connect(fd, this.#nowhere, SOCKADDR_SIZE);
    return mtu;
  }

  close(): void {
    this.#socket.close();
  }

  #mtu(): number {
    const isIpv6 = this.family === 6;
    const level = isIpv6 ? IPPROTO.IPV6 : IPPROTO.IP;
    const option = isIpv6 ? IPV6.MTU : IP.MTU;
    this.#size[0] = this.#answerBytes.length;
    const { getsockopt } = this.#libc.symbols;
    const { fd } = this.#socket;
    const answer = this.#answerBytes;
    return getsockopt(fd, level, option, answer, this.#sizeBytes) === 0
      ? Math.max(0, this.#answer[0] ?? 0)
      : 0;
  }
}
