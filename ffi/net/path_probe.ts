// Path MTU to an address as the kernel knows it: that of the device and of the
// route, or what routers have told within the last ten minutes.

import { IP, IPPROTO, IPV6 } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { ProbeSocket } from "./probe_socket.ts";
import { sockaddrFamily, type SocketAddress } from "./sockaddr.ts";
import type { SocketWay } from "./udp.ts";

/** A socket that sends nothing, and that nothing reaches but in between. */
export class PathProbe {
  readonly #probe: ProbeSocket;

  /**
   * @param local Whose paths are meant; its port is taken by nobody.
   * @param way As that of the sockets that send.
   * @throws {SystemError} As {@linkcode UdpSocket.open}.
   */
  constructor(libc: Libc, local: SocketAddress, way: SocketWay = {}) {
    this.#probe = new ProbeSocket(libc, local, way);
  }

  /** Of the address alone. */
  get family(): 4 | 6 {
    return this.#probe.socket.local.address.length === 16 ? 6 : 4;
  }

  /** As {@linkcode UdpSocket.setMark}. */
  setMark(mark: number): void {
    this.#probe.socket.setMark(mark);
  }

  /**
   * @param at Of the first word of an address.
   * @returns Bytes of an IP packet that passes in one piece, or 0 when there is
   * no way there now.
   */
  mtu(words: Uint32Array, at: number): number {
    if (sockaddrFamily(words, at) !== this.family) return 0;
    const mtu = this.#probe.connect(words, at) ? this.#mtu() : 0;
    this.#probe.disconnect();
    return mtu;
  }

  close(): void {
    this.#probe.close();
  }

  #mtu(): number {
    const mtu = this.family === 6
      ? this.#probe.option(IPPROTO.IPV6, IPV6.MTU)
      : this.#probe.option(IPPROTO.IP, IP.MTU);
    return Math.max(0, mtu ?? 0);
  }
}
