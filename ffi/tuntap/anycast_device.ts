// Addresses that a device has only now and then, and that this host takes all
// the time: rtnetlink(7).
//
// An address at the device is what routing daemons announce. What comes for it
// shall not be lost while routers still send it here, before and after. So it is
// local all the time, by a route in the kernel's local table, which routing
// daemons do not look at.

import { Errno, SystemError } from "../errno.ts";
import { AF, NLM_F } from "../flags.ts";
import type { Libc } from "../libc.ts";
import type { TunTapDevice } from "./device.ts";
import { deviceIndex } from "./ifreq.ts";
import { openDevice } from "./open_device.ts";
import {
  addressesBody,
  type HostAddress,
  readHostAddress,
} from "./other_networks.ts";
import {
  ADDRESS,
  IFA,
  numberBytes,
  ROUTE,
  ROUTE_PROTOCOL,
  RT_SCOPE,
  RT_TABLE,
  RTA,
  RTM,
  RTN,
} from "./route_numbers.ts";
import { linkStateMessage, message, RouteSocket } from "./rtnetlink.ts";

/** struct ifa_cacheinfo { u32 prefered, valid, cstamp, tstamp; } */
const CACHEINFO_SIZE = 16;
/** Nobody is asked for duplicates: there are some, on purpose. */
const IFA_F_NODAD = 2;

/** Behind the kernel's own one, which comes and goes with the address. */
const METRIC = 97;
const LOOPBACK = "lo";

export interface AnycastAddress {
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Opened with CAP_NET_ADMIN, which all changes need as well. */
export class AnycastDevice implements Disposable {
  readonly name: string;
  readonly #libc: Libc;
  readonly #socket: RouteSocket;
  /** All that the name has stood for: devices are renamed, and made anew. */
  readonly #indexes = new Set<number>();
  #own: TunTapDevice | undefined;

  /** There may be no such device yet, or none any more. */
  constructor(libc: Libc, name: string) {
    this.name = name;
    this.#libc = libc;
    this.#socket = new RouteSocket(libc);
    try {
      this.note();
    } catch (error) {
      this.#socket[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Makes the device if there is none: one that carries nothing, and goes with
   * the process however that ends.
   * @throws {SystemError | TunTapError} When it cannot be made.
   */
  static open(libc: Libc, name: string): AnycastDevice {
    using undo = new DisposableStack();
    const device = undo.use(new AnycastDevice(libc, name));
    if (device.#indexes.size === 0) {
      device.#own = openDevice(libc, { name, type: "tap" });
      device.#index();
    }
    undo.move();
    return device;
  }

  /** Whether it goes with the process. */
  get isOwn(): boolean {
    return this.#own !== undefined;
  }

  bringUp(): void {
    const what = `set ${this.name} up`;
    const message = linkStateMessage(this.#index(), true);
    this.#socket.request({ what, message });
  }

  /** Those of all devices of this host, each with whether it is at this one. */
  list(): (HostAddress & { readonly isHere: boolean })[] {
    const what = "list the addresses of this host";
    const here = this.#indexIfAny();
    return [AF.INET, AF.INET6].flatMap((family) => {
      const body = addressesBody(family);
      const query = message(RTM.GETADDR, NLM_F.DUMP, body, []);
      return this.#socket.dump({ what, message: query }, RTM.NEWADDR)
        .flatMap((body) => readHostAddress(body) ?? [])
        .map((found) => ({ ...found, isHere: found.index === here }));
    });
  }

  /**
   * One that is there already stays for so long anew.
   * @param seconds After which the kernel takes it away by itself, and a quarter
   * of a second later at the most.
   * @throws {SystemError} `ENODEV`, `EPERM`, `EACCES` without IPv6, and others.
   */
  add(address: AnycastAddress, seconds: number): void {
    const flags = NLM_F.CREATE | NLM_F.REPLACE;
    const lifetime = new Uint8Array(CACHEINFO_SIZE);
    const view = new DataView(lifetime.buffer);
    view.setUint32(0, seconds, true);
    view.setUint32(4, seconds, true);
    const more = [[IFA.CACHEINFO, lifetime]] as const;
    this.#changeAddress("add", RTM.NEWADDR, { flags, more }, address);
  }

  /**
   * Also from a device that has another name by now.
   * @returns Whether it was there.
   * @throws {SystemError} `EPERM` and others.
   */
  remove(address: AnycastAddress): boolean {
    const here = this.#indexIfAny();
    let wasThere = false;
    for (const index of this.#indexes) {
      const isDone = unlessGone(() =>
        this.#changeAddress("remove", RTM.DELADDR, { flags: 0, index }, address)
      );
      if (isDone) wasThere = true;
      else if (index !== here) this.#indexes.delete(index);
    }
    return wasThere;
  }

  /**
   * What comes for an address is for this host from now on.
   * @throws {SystemError} `EPERM`, `EACCES` without IPv6, and others.
   */
  takeIn({ bytes }: AnycastAddress): void {
    try {
      const flags = NLM_F.CREATE | NLM_F.EXCL;
      this.#changeRoute("add", RTM.NEWROUTE, flags, bytes);
    } catch (error) {
      // It is already, and nobody hears of it once more.
      const isThere = error instanceof SystemError &&
        error.errno === Errno.EEXIST;
      if (!isThere) throw error;
    }
  }

  /** @returns Whether it was. */
  takeInNoMore({ bytes }: AnycastAddress): boolean {
    return unlessGone(() =>
      this.#changeRoute("remove", RTM.DELROUTE, 0, bytes)
    );
  }

  [Symbol.dispose](): void {
    this.#own?.close();
    this.#socket[Symbol.dispose]();
  }

  /**
   * Has {@linkcode remove} find what the name stands for now, whatever that is
   * called later. To be called from time to time by whoever only removes.
   * @throws {SystemError} Hardly ever; not where there is no such device.
   */
  note(): void {
    this.#indexIfAny();
  }

  /** Asked for each time: administrators make devices anew. */
  #index(): number {
    const index = deviceIndex(this.#libc, this.#socket.fd, this.name);
    this.#indexes.add(index);
    return index;
  }

  #indexIfAny(): number | undefined {
    try {
      return this.#index();
    } catch (error) {
      if (error instanceof SystemError && error.errno === Errno.ENODEV) {
        return undefined;
      }
      throw error;
    }
  }

  #changeAddress(
    verb: string,
    type: number,
    { flags, index = this.#index(), more = [] }: {
      readonly flags: number;
      readonly index?: number;
      readonly more?: readonly (readonly [type: number, value: Uint8Array])[];
    },
    { bytes, length }: AnycastAddress,
  ): void {
    const body = new Uint8Array(ADDRESS.SIZE);
    body[ADDRESS.FAMILY] = familyOf(bytes);
    body[ADDRESS.LENGTH] = length;
    body[ADDRESS.FLAGS] = bytes.length === 16 ? IFA_F_NODAD : 0;
    new DataView(body.buffer).setUint32(ADDRESS.INDEX, index, true);
    this.#socket.request({
      what: `${verb} an address of ${this.name}`,
      message: message(type, flags, body, [
        [IFA.LOCAL, bytes],
        [IFA.ADDRESS, bytes],
        ...more,
      ]),
    });
  }

  #changeRoute(
    verb: string,
    type: number,
    flags: number,
    bytes: Uint8Array,
  ): void {
    const body = new Uint8Array(ROUTE.SIZE);
    body[ROUTE.FAMILY] = familyOf(bytes);
    body[ROUTE.LENGTH] = bytes.length * 8;
    body[ROUTE.TABLE] = RT_TABLE.LOCAL;
    body[ROUTE.PROTOCOL] = ROUTE_PROTOCOL;
    body[ROUTE.SCOPE] = bytes.length === 4 ? RT_SCOPE.HOST : RT_SCOPE.UNIVERSE;
    body[ROUTE.TYPE] = RTN.LOCAL;
    const loopback = deviceIndex(this.#libc, this.#socket.fd, LOOPBACK);
    this.#socket.request({
      what: `${verb} the local route of an anycast address`,
      message: message(type, flags, body, [
        [RTA.DST, bytes],
        [RTA.OIF, numberBytes(loopback)],
        [RTA.PRIORITY, numberBytes(METRIC)],
      ]),
    });
  }
}

function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? AF.INET : AF.INET6;
}

/** With the device goes what it had. */
const GONE: readonly number[] = [
  Errno.EADDRNOTAVAIL,
  Errno.ESRCH,
  Errno.ENODEV,
];

function unlessGone(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof SystemError && GONE.includes(error.errno)) {
      return false;
    }
    throw error;
  }
}
