// Question to the kernel whether its way to an address leads to a device, by
// rtnetlink(7); it changes nothing.

import { AF } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { deviceIndex } from "./ifreq.ts";
import { numberBytes, ROUTE, RTA, RTM } from "./route_numbers.ts";
import { message, numberOf, RouteSocket } from "./rtnetlink.ts";

/** Of a datagram, as far as routes and their rules ask for it. */
interface Way {
  /** 4 or 16 bytes in network order, as has the source. */
  readonly to: Uint8Array;
  /** All zero where the kernel chooses. */
  readonly from: Uint8Array;
  /** As of SO_MARK (socket(7)); 0 is none. */
  readonly mark: number;
}

export class DeviceWay implements Disposable {
  readonly #socket: RouteSocket;
  readonly #index: number;

  /** @throws {SystemError} When there is no such device. */
  constructor(libc: Libc, name: string) {
    this.#socket = new RouteSocket(libc);
    try {
      this.#index = deviceIndex(libc, this.#socket.fd, name);
    } catch (error) {
      this.#socket[Symbol.dispose]();
      throw error;
    }
  }

  /** @returns false also where there is no way at all, or nobody knows it. */
  isTaken({ to, from, mark }: Way): boolean {
    const what = "ask for a route";
    const body = new Uint8Array(ROUTE.SIZE);
    body[ROUTE.FAMILY] = to.length === 4 ? AF.INET : AF.INET6;
    body[ROUTE.LENGTH] = to.length * 8;
    const hasSource = from.some((byte) => byte !== 0);
    if (hasSource) body[ROUTE.SOURCE_LENGTH] = from.length * 8;
    const query = message(RTM.GETROUTE, 0, body, [
      [RTA.DST, to],
      ...(hasSource ? [[RTA.SRC, from] as const] : []),
      ...(mark === 0 ? [] : [[RTA.MARK, numberBytes(mark)] as const]),
    ]);
    try {
      const route = this.#socket.ask({ what, message: query }, RTM.NEWROUTE);
      return numberOf(route.subarray(ROUTE.SIZE), RTA.OIF) === this.#index;
    } catch {
      // Whoever asks wants to help, and must not fail by it.
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
