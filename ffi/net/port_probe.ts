// Probe of a UDP port: whether anybody listens there. A socket that sends to many
// is not told (udp(7)); one that is connected is.

import { SO, SOL } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { Errno } from "../errno.ts";
import { ProbeSocket } from "./probe_socket.ts";
import type { SocketAddress } from "./sockaddr.ts";
import type { SocketWay } from "./udp.ts";

const NOTHING = new Uint8Array(0);

export class PortProbe implements Disposable {
  readonly #libc: Libc;
  readonly #probe: ProbeSocket;

  /**
   * @param local From which datagrams are sent; its port is taken by nobody.
   * @throws {SystemError} As {@linkcode UdpSocket.open}.
   */
  constructor(libc: Libc, local: SocketAddress, way: SocketWay) {
    this.#libc = libc;
    this.#probe = new ProbeSocket(libc, local, way);
  }

  /** Sends an empty datagram, which peers drop. */
  knock(words: Uint32Array, at: number): void {
    if (!this.#probe.connect(words, at)) return;
    const { send } = this.#libc.symbols;
    send(this.#probe.socket.fd, NOTHING, 0, 0);
  }

  /** Whether the other host has answered that the port is closed. */
  get isRefused(): boolean {
    return this.#probe.option(SOL.SOCKET, SO.ERROR) === Errno.ECONNREFUSED;
  }

  [Symbol.dispose](): void {
    this.#probe.close();
  }
}
