// Question to the kernel whether its way to an address leads to a device, by
// rtnetlink(7); it changes nothing.

import { AF } from "../flags.ts";
import type { Libc } from "../libc.ts";
import { deviceIndex } from "./ifreq.ts";
import { message, numberOf, RouteSocket } from "./rtnetlink.ts";

// include/uapi/linux/rtnetlink.h
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_MARK = 16;
// struct rtmsg, as in device_routes.ts
const BODY_SIZE = 12;
const LENGTH_AT = 1;
const SOURCE_LENGTH_AT = 2;

/** Of a datagram, as far as routes and their rules ask for it. */
export interface Way {
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
    const body = new Uint8Array(BODY_SIZE);
    body[0] = to.length === 4 ? AF.INET : AF.INET6;
    body[LENGTH_AT] = to.length * 8;
    const hasSource = from.some((byte) => byte !== 0);
    if (hasSource) body[SOURCE_LENGTH_AT] = from.length * 8;
    const query = message(RTM_GETROUTE, 0, body, [
      [RTA_DST, to],
      ...(hasSource ? [[RTA_SRC, from] as const] : []),
      ...(mark === 0 ? [] : [[RTA_MARK, numberBytes(mark)] as const]),
    ]);
    try {
      const route = this.#socket.ask({ what, message: query }, RTM_NEWROUTE);
      return numberOf(route.subarray(BODY_SIZE), RTA_OIF) === this.#index;
    } catch {
      // Whoever asks wants to help, and must not fail by it.
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
