// struct ifreq of netdevice(7), for ioctls on network devices.

import { NAME_SIZE } from "./device_name.ts";
import { Ioctl } from "../flags.ts";
import type { Libc } from "../libc.ts";

const IFREQ_SIZE = 40;

export class Ifreq {
  readonly bytes = new Uint8Array(IFREQ_SIZE);
  readonly #view = new DataView(this.bytes.buffer);

  /** @param name Empty where the kernel is to choose. */
  constructor(name: string) {
    new TextEncoder().encodeInto(name, this.bytes.subarray(0, NAME_SIZE - 1));
  }

  get name(): string {
    const end = this.bytes.indexOf(0);
    return new TextDecoder().decode(this.bytes.subarray(0, end));
  }

  get flags(): number {
    return this.#view.getUint16(NAME_SIZE, true);
  }

  set flags(flags: number) {
    this.#view.setUint16(NAME_SIZE, flags, true);
  }

  /** ifr_ifindex or ifr_mtu, at the same place. */
  get value(): number {
    return this.#view.getInt32(NAME_SIZE, true);
  }
}

export function deviceIndex(libc: Libc, fd: number, name: string): number {
  return query(libc, fd, name, Ioctl.SIOCGIFINDEX, "find the index");
}

export function deviceMtu(libc: Libc, fd: number, name: string): number {
  return query(libc, fd, name, Ioctl.SIOCGIFMTU, "find the MTU");
}

/** Flags of netdevice(7). */
const IFF_UP = 1;
const IFF_RUNNING = 0x40;

export function isDeviceUp(libc: Libc, fd: number, name: string): boolean {
  return (deviceFlags(libc, fd, name) & IFF_UP) !== 0;
}

/** Up, and with somebody at its other end. */
export function isDeviceRunning(
  libc: Libc,
  fd: number,
  name: string,
): boolean {
  const wanted = IFF_UP | IFF_RUNNING;
  return (deviceFlags(libc, fd, name) & wanted) === wanted;
}

function deviceFlags(libc: Libc, fd: number, name: string): number {
  const ifreq = new Ifreq(name);
  if (libc.symbols.ioctl(fd, Ioctl.SIOCGIFFLAGS, ifreq.bytes) < 0) {
    throw libc.error(`find the state of ${name}`, "ioctl");
  }
  return ifreq.flags;
}

/** @param fd Of a socket of IPv4 */
export function hasIpv4Address(libc: Libc, fd: number, name: string): boolean {
  const { bytes } = new Ifreq(name);
  return libc.symbols.ioctl(fd, Ioctl.SIOCGIFADDR, bytes) === 0;
}

function query(
  libc: Libc,
  fd: number,
  name: string,
  request: number,
  what: string,
): number {
  const ifreq = new Ifreq(name);
  if (libc.symbols.ioctl(fd, request, ifreq.bytes) < 0) {
    throw libc.error(`${what} of ${name}`, "ioctl");
  }
  return ifreq.value;
}
