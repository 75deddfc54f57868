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
  numberBytes,
  ROUTE,
  ROUTE_PROTOCOL,
  RT_SCOPE,
  RT_TABLE,
  RTA,
  RTM,
  RTN,
} from "./route_numbers.ts";
import { attributeOf, message, numberOf, RouteSocket } from "./rtnetlink.ts";

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
      const query = message(RTM.GETADDR, NLM_F.DUMP, body, []);
      return this.#socket.dump({ what, message: query }, RTM.NEWADDR)
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
        RTM.NEWROUTE,
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
        RTM.DELROUTE,
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
    body[ROUTE.LENGTH] = length;
    body[ROUTE.SCOPE] = isIpv4 ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
    body[ROUTE.TYPE] = RTN.UNICAST;
    const attributes = [
      [RTA.DST, network],
      [RTA.OIF, numberBytes(this.#index)],
      ...(metric === 0 ? [] : [[RTA.PRIORITY, numberBytes(metric)] as const]),
    ] as const;
    this.#socket.request({
      what,
      message: message(type, flags, body, attributes),
    });
  }

  #list(family: number): KernelRoute[] {
    const what = `list the routes to ${this.#name}`;
    const query = message(RTM.GETROUTE, NLM_F.DUMP, bodyOf(family), [
      [RTA.OIF, numberBytes(this.#index)],
    ]);
    return this.#socket.dump({ what, message: query }, RTM.NEWROUTE)
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
  if (body.length < ROUTE.SIZE) return undefined;
  const isOurs = body[ROUTE.PROTOCOL] === ROUTE_PROTOCOL &&
    body[ROUTE.TABLE] === RT_TABLE.MAIN && body[ROUTE.TYPE] === RTN.UNICAST;
  const size = body[ROUTE.FAMILY] === AF.INET
    ? 4
    : body[ROUTE.FAMILY] === AF.INET6
    ? 16
    : 0;
  const length = body[ROUTE.LENGTH] ?? 0;
  if (!isOurs || size === 0 || length > size * 8) return undefined;
  const attributes = body.subarray(ROUTE.SIZE);
  if (numberOf(attributes, RTA.OIF) !== index) return undefined;
  // A default route has no destination.
  const network = attributeOf(attributes, RTA.DST)?.slice() ??
    new Uint8Array(size);
  if (network.length !== size) return undefined;
  return { network, length, metric: numberOf(attributes, RTA.PRIORITY) ?? 0 };
}

function bodyOf(family: number): Uint8Array {
  const body = new Uint8Array(ROUTE.SIZE);
  body[ROUTE.FAMILY] = family;
  body[ROUTE.TABLE] = RT_TABLE.MAIN;
  body[ROUTE.PROTOCOL] = ROUTE_PROTOCOL;
  return body;
}
