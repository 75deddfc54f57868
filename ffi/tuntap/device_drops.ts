// Packets for a device that the kernel has dropped: its queue was full, since
// nobody read them in time (tun_net_xmit() in drivers/net/tun.c).

import type { Libc } from "../libc.ts";
import { deviceIndex } from "./ifreq.ts";
import { attributeOf, RouteSocket } from "./rtnetlink.ts";

// include/uapi/linux/if_link.h: struct rtnl_link_stats64, of 64 bits each.
const IFLA_STATS64 = 23;
const TX_DROPPED_AT = 7 * 8;

/** To be opened in the namespace of the device, and ahead of a sandbox. */
export class DeviceDrops implements Disposable {
  readonly #socket: RouteSocket;
  readonly #name: string;
  readonly #index: number;
  readonly #before: number;
  #last: number;

  /** @throws {SystemError} When there is no such device. */
  constructor(libc: Libc, name: string) {
    this.#socket = new RouteSocket(libc);
    this.#name = name;
    try {
      this.#index = deviceIndex(libc, this.#socket.fd, name);
      this.#last = this.#before = this.#read();
    } catch (error) {
      this.#socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Since it was opened; of a device that is gone, what was known last. */
  get count(): number {
    try {
      this.#last = this.#read();
    } catch {
      // It is gone.
    }
    return this.#last - this.#before;
  }

  #read(): number {
    const link = this.#socket.link(`look at ${this.#name}`, this.#index);
    const stats = attributeOf(link, IFLA_STATS64);
    if (stats === undefined || stats.length < TX_DROPPED_AT + 8) return 0;
    const view = new DataView(stats.buffer, stats.byteOffset);
    return Number(view.getBigUint64(TX_DROPPED_AT, true));
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
