// Routes to a device in the kernel's main table, under a protocol number of our
// own: others' are neither changed nor taken away.

import { Errno, SystemError } from "../errno.ts";
import { AF, NLM_F } from "../flags.ts";
import { deviceIndex } from "./ifreq.ts";
import type { Libc } from "../libc.ts";
import {
  addressesBody,
  type OtherNetwork,
  readNetwork,
} from "./other_networks.ts";
import {
  attributeOf,
  message,
  numberOf,
  RouteSocket,
  RTM_NEWADDR,
} from "./rtnetlink.ts";

/** Of those that `/etc/iproute2/rt_protos` has no name for. */
export const ROUTE_PROTOCOL = 97;

// include/uapi/linux/rtnetlink.h
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_GETADDR = 22;
const RT_TABLE_MAIN = 254;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
// struct rtmsg { family, dst_len, src_len, tos, table, protocol, scope, type;
// unsigned rtm_flags; }
const BODY_SIZE = 12;
const LENGTH_AT = 1;
const TABLE_AT = 4;
const PROTOCOL_AT = 5;
const SCOPE_AT = 6;
const TYPE_AT = 7;

export interface KernelRoute {
  /** 4 or 16 bytes in network order; no bit is set behind the length. */
  readonly network: Uint8Array;
  readonly length: number;
  /** 0 is the kernel's default. */
  readonly metric: number;
}

/** Opened with CAP_NET_ADMIN; changes need it as well. */
export class DeviceRoutes implements Disposable {
  readonly #socket: RouteSocket;
  readonly #index: number;
  readonly #name: string;

  /** @throws {SystemError} When there is no such device. */
  constructor(libc: Libc, name: string) {
    this.#name = name;
    this.#socket = new RouteSocket(libc);
    this.#socket.filterDumps();
    try {
      this.#index = deviceIndex(libc, this.#socket.fd, name);
    } catch (error) {
      this.#socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Those of our protocol, from whomever they are. */
  list(): KernelRoute[] {
    return [AF.INET, AF.INET6].flatMap((family) => this.#list(family));
  }

  /** Networks in which this host has an address by another device. */
  otherNetworks(): OtherNetwork[] {
    const what = "list the addresses of this host";
    return [AF.INET, AF.INET6].flatMap((family) => {
      const body = addressesBody(family);
      const query = message(RTM_GETADDR, NLM_F.DUMP, body, []);
      return this.#socket.dump({ what, message: query }, RTM_NEWADDR)
        .flatMap((body) => readNetwork(body, this.#index) ?? []);
    });
  }

  /**
   * @returns Whether it is ours: false if somebody else's is there already.
   * @throws {SystemError} `ENETDOWN` while the device is down, and others.
   */
  add(route: KernelRoute): boolean {
    const flags = NLM_F.CREATE | NLM_F.EXCL;
    try {
      this.#change(
        `add the route ${this.#text(route)}`,
        RTM_NEWROUTE,
        flags,
        route,
      );
      return true;
    } catch (error) {
      if (error instanceof SystemError && error.errno === Errno.EEXIST) {
        return false;
      }
      throw error;
    }
  }

  /**
   * @returns false if it is gone already.
   * @throws {SystemError} `EPERM` and others.
   */
  remove(route: KernelRoute): boolean {
    try {
      this.#change(
        `remove the route ${this.#text(route)}`,
        RTM_DELROUTE,
        0,
        route,
      );
      return true;
    } catch (error) {
      const isGone = error instanceof SystemError &&
        (error.errno === Errno.ESRCH || error.errno === Errno.ENODEV);
      if (isGone) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #text({ length }: KernelRoute): string {
    return `of ${length} bits to ${this.#name}`;
  }

  #change(
    what: string,
    type: number,
    flags: number,
    { network, length, metric }: KernelRoute,
  ): void {
    const isIpv4 = network.length === 4;
    const body = bodyOf(isIpv4 ? AF.INET : AF.INET6);
    body[LENGTH_AT] = length;
    body[SCOPE_AT] = isIpv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    body[TYPE_AT] = RTN_UNICAST;
    const attributes = [
      [RTA_DST, network],
      [RTA_OIF, number(this.#index)],
      ...(metric === 0 ? [] : [[RTA_PRIORITY, number(metric)] as const]),
    ] as const;
    this.#socket.request({
      what,
      message: message(type, flags, body, attributes),
    });
  }

  #list(family: number): KernelRoute[] {
    const what = `list the routes to ${this.#name}`;
    const query = message(RTM_GETROUTE, NLM_F.DUMP, bodyOf(family), [
      [RTA_OIF, number(this.#index)],
    ]);
    return this.#socket.dump({ what, message: query }, RTM_NEWROUTE)
      .flatMap((body) => readRoute(body, this.#index) ?? []);
  }
}

/**
 * @param body Of a message that tells of a route.
 * @returns undefined if it is not of our protocol, to this device, in the main
 * table.
 */
export function readRoute(
  body: Uint8Array,
  index: number,
): KernelRoute | undefined {
  if (body.length < BODY_SIZE) return undefined;
  const isOurs = body[PROTOCOL_AT] === ROUTE_PROTOCOL &&
    body[TABLE_AT] === RT_TABLE_MAIN && body[TYPE_AT] === RTN_UNICAST;
  const size = body[0] === AF.INET ? 4 : body[0] === AF.INET6 ? 16 : 0;
  const length = body[LENGTH_AT] ?? 0;
  if (!isOurs || size === 0 || length > size * 8) return undefined;
  const attributes = body.subarray(BODY_SIZE);
  if (numberOf(attributes, RTA_OIF) !== index) return undefined;
  // A default route has no destination.
  const network = attributeOf(attributes, RTA_DST)?.slice() ??
    new Uint8Array(size);
  if (network.length !== size) return undefined;
  return { network, length, metric: numberOf(attributes, RTA_PRIORITY) ?? 0 };
}

function bodyOf(family: number): Uint8Array {
  const body = new Uint8Array(BODY_SIZE);
  body[0] = family;
  body[TABLE_AT] = RT_TABLE_MAIN;
  body[PROTOCOL_AT] = ROUTE_PROTOCOL;
  return body;
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
