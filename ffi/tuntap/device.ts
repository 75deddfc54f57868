// TUN and TAP devices on /dev/net/tun (Documentation/networking/tuntap.rst of
// Linux).

import type {
  DeviceSettings,
  DeviceType,
  TunTap,
  TunTapOptions,
} from "./types.ts";
import { checkDeviceName } from "./device_name.ts";
import { Errno, isToRepeat, type SystemError } from "../errno.ts";
import { Ioctl, O } from "../flags.ts";
import { Ifreq } from "./ifreq.ts";
import { cString, type Libc } from "../libc.ts";
import { configureLink, linkMtu } from "./link.ts";
import { Arena } from "../memory.ts";
import { EventFd, FOREVER, PollSet } from "../poll.ts";
import { isRefusedPacket, lostDevice, TunTapError } from "./errors.ts";
import { negotiateOffloads, resetHeaderSize, setOffloads } from "./vnet.ts";

const NODE = "/dev/net/tun";

// include/uapi/linux/if_tun.h
const IFF_TUN = 0x1;
const IFF_TAP = 0x2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

interface DeviceOptions extends TunTapOptions {
  /** A virtio_net_hdr of 10 bytes precedes each packet, in both directions. */
  readonly vnetHeader?: boolean;
}

/**
 * @param onClosed Called once, when nothing of the device is in use any more.
 * @throws {TunTapError} When it cannot be opened; `code` says why.
 */
export function openDevice(
  libc: Libc,
  options: DeviceOptions,
  onClosed: () => void = () => {},
): TunTapDevice {
  const { name, type = "tun", vnetHeader = false } = options;
  if (name !== undefined) checkDeviceName(name);
  const what = name === undefined
    ? `open a new ${type} device`
    : `open the ${type} device '${name}'`;
  const fd = openNode(libc, what);
  try {
    const actualName = attach(libc, fd, {
      name: name ?? "",
      flags: (type === "tun" ? IFF_TUN : IFF_TAP) | IFF_NO_PI |
        (vnetHeader ? IFF_VNET_HDR : 0),
    }, what);
    return new TunTapDevice(libc, fd, actualName, type, onClosed);
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

function openNode(libc: Libc, what: string): number {
  const flags = O.RDWR | O.NONBLOCK | O.CLOEXEC;
  const fd = libc.symbols.open(cString(NODE), flags, 0);
  if (fd >= 0) return fd;
  const cause = libc.error(`open ${NODE}`, "open");
  switch (cause.errno) {
    case Errno.ENOENT:
      throw new TunTapError(
        "no-driver",
        `Cannot ${what}: ${NODE} does not exist; make it with 'mknod ${NODE} c 10 200' or load the kernel module tun`,
        { cause },
      );
    case Errno.ENODEV:
    case Errno.ENXIO:
      throw new TunTapError(
        "no-driver",
        `Cannot ${what}: the kernel has no driver for ${NODE}; load its module tun`,
        { cause },
      );
    case Errno.EACCES:
    case Errno.EPERM:
      throw new TunTapError(
        "not-permitted",
        `Cannot ${what}: this user may not open ${NODE}; it needs root, or read and write access and the capability CAP_NET_ADMIN`,
        { cause },
      );
    default:
      throw new TunTapError(
        "failed",
        `Cannot ${what}: opening ${NODE} failed with ${cause.code}`,
        { cause },
      );
  }
}

function attach(
  libc: Libc,
  fd: number,
  { name, flags }: { readonly name: string; readonly flags: number },
  what: string,
): string {
  const ifreq = new Ifreq(name);
  ifreq.flags = flags;
  if (libc.symbols.ioctl(fd, Ioctl.TUNSETIFF, ifreq.bytes) < 0) {
    throw attachError(what, libc.error(what, "ioctl"));
  }
  // A persistent device keeps the offloads that the program before has set, and
  // would pass on super-packets that nobody expects.
  setOffloads(libc, fd, 0);
  if ((flags & IFF_VNET_HDR) !== 0) resetHeaderSize(libc, fd);
  return ifreq.name;
}

function attachError(what: string, cause: SystemError): TunTapError {
  switch (cause.errno) {
    case Errno.EPERM:
      return new TunTapError(
        "not-permitted",
        `Cannot ${what}: it needs root, the capability CAP_NET_ADMIN, or a persistent device owned by this user`,
        { cause },
      );
    case Errno.EBUSY:
      return new TunTapError(
        "busy",
        `Cannot ${what}: another program uses it; stop that or choose another name`,
        { cause },
      );
    case Errno.EINVAL:
    case Errno.EBADFD:
      return new TunTapError(
        "wrong-kind",
        `Cannot ${what}: the name belongs to a device of another kind, or to one with several queues; choose another name or type`,
        { cause },
      );
    default:
      return new TunTapError(
        "failed",
        `Cannot ${what}: the kernel refused with ${cause.code}`,
        { cause },
      );
  }
}

/** See {@linkcode TunTap} for the contract. */
export class TunTapDevice implements TunTap {
  readonly name: string;
  readonly type: DeviceType;
  readonly fd: number;
  readonly #libc: Libc;
  readonly #onClosed: () => void;
  readonly #closing: EventFd;
  readonly #waiting: PollSet;
  #wait: Promise<boolean> | undefined;
  #isOpen = true;

  /** @param fd Becomes this object's. */
  constructor(
    libc: Libc,
    fd: number,
    name: string,
    type: DeviceType,
    onClosed: () => void,
  ) {
    this.#libc = libc;
    this.fd = fd;
    this.name = name;
    this.type = type;
    this.#onClosed = onClosed;
    this.#closing = EventFd.open(libc);
    this.#waiting = new PollSet(libc, new Arena(1), 2);
    this.#waiting.add(fd);
    this.#waiting.add(this.#closing.fd);
  }

  get mtu(): number {
    this.#checkOpen("find the MTU of");
    return linkMtu(this.#libc, this.name);
  }

  configure(settings: DeviceSettings): void {
    this.#checkOpen("configure");
    configureLink(this.#libc, this.name, this.type, settings);
  }

  read(into: Uint8Array<ArrayBuffer>): number {
    this.#checkOpen("read from");
    for (let seen = 0;;) {
      const count = this.#libc.symbols.read(this.fd, into, into.length);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === Errno.EAGAIN) return 0;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice(`read from ${this.name}`, "read", errno);
    }
  }

  write(packet: Uint8Array<ArrayBuffer>): boolean {
    this.#checkOpen("write to");
    for (let seen = 0;;) {
      const { write } = this.#libc.symbols;
      if (write(this.fd, packet, packet.length) >= 0) return true;
      const errno = this.#libc.errno();
      if (isRefusedPacket(errno)) return false;
      if (isToRepeat(errno, seen)) {
        seen = errno;
        continue;
      }
      throw lostDevice(`write to ${this.name}`, "write", errno);
    }
  }

  /**
   * Lets the kernel pass on packets that still need work, as their header tells;
   * only for a device with that header.
   * @returns Those that the kernel knows and has set.
   */
  negotiateOffloads(wanted: number): number {
    this.#checkOpen("set the offloads of");
    return negotiateOffloads(this.#libc, this.fd, wanted);
  }

  readable(): Promise<boolean> {
    if (!this.#isOpen) return Promise.resolve(false);
    this.#wait ??= this.#waitOnce();
    return this.#wait;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closing.signal();
    // For the next program at a persistent device; see attach().
    setOffloads(this.#libc, this.fd, 0);
    this.#libc.symbols.close(this.fd);
    // A thread of the pool may be about to wait on the two descriptors. The
    // eventfd, kept open, ends that wait whatever the other number then means.
    if (this.#wait === undefined) this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #waitOnce(): Promise<boolean> {
    try {
      await this.#waiting.waitInBackground(FOREVER);
      return this.#isOpen;
    } finally {
      this.#wait = undefined;
      if (!this.#isOpen) this.#release();
    }
  }

  #release(): void {
    this.#closing.close();
    this.#onClosed();
  }

  #checkOpen(what: string): void {
    if (this.#isOpen) return;
    throw new TunTapError(
      "gone",
      `Cannot ${what} ${this.name}: the device is closed`,
    );
  }
}
