// Opening of TUN and TAP devices, for one thread or for several
// (Documentation/networking/tuntap.rst of Linux).

import { Errno, type SystemError } from "../errno.ts";
import { Ioctl, O } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import type { NetworkNamespace } from "../net/namespace.ts";
import { TunTapDevice } from "./device.ts";
import { checkDeviceName } from "./device_name.ts";
import { TunTapError } from "./errors.ts";
import { deviceIndex, Ifreq } from "./ifreq.ts";
import { countQueues, detachQueue } from "./queues.ts";
import { RouteSocket } from "./rtnetlink.ts";
import type { DeviceType, TunTapOptions } from "./types.ts";
import { resetHeaderSize, setOffloads } from "./vnet.ts";

const NODE = "/dev/net/tun";

// include/uapi/linux/if_tun.h
const IFF_TUN = 0x1;
const IFF_TAP = 0x2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;

interface DeviceOptions extends TunTapOptions {
  /** Where it is made, or looked for; it has to stay open as long as the device. */
  readonly namespace?: NetworkNamespace | undefined;
  /** A virtio_net_hdr of 10 bytes precedes each packet, in both directions. */
  readonly vnetHeader?: boolean;
}

interface AttachRequest {
  /** Empty where the kernel is to choose. */
  readonly name: string;
  readonly flags: number;
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
  return insideOf(options, () => openHere(libc, options, onClosed));
}

function insideOf<T>({ namespace }: DeviceOptions, work: () => T): T {
  return namespace === undefined ? work() : namespace.inside(work);
}

function openHere(
  libc: Libc,
  options: DeviceOptions,
  onClosed: () => void,
): TunTapDevice {
  const { what, name, flags, type } = openingOf(options);
  const fd = openNode(libc, what);
  try {
    const actualName = attachOne(libc, fd, { name, flags }, what);
    const queues = { readFrom: [fd], writeTo: [fd] };
    const { namespace } = options;
    const kind = { name: actualName, type, namespace };
    return new TunTapDevice(libc, queues, kind, onClosed);
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/**
 * A device that several threads share. All packets of a flow are read from one
 * queue, in their order, whatever is written meanwhile.
 *
 * @param counts How many threads read, and how many write.
 * @throws {TunTapError} `wrong-kind`, also when there is such a device already
 * that has but one queue.
 */
export function openSharedDevice(
  libc: Libc,
  options: DeviceOptions,
  counts: QueueCounts,
): TunTapDevice {
  return insideOf(options, () => openSharedHere(libc, options, counts));
}

interface QueueCounts {
  readonly readers: number;
  readonly writers: number;
}

function openSharedHere(
  libc: Libc,
  options: DeviceOptions,
  counts: QueueCounts,
): TunTapDevice {
  const { what, name, flags, type } = openingOf(options);
  using opened = new DisposableStack();
  const open = () => {
    const fd = openNode(libc, what);
    opened.defer(() => libc.symbols.close(fd));
    return fd;
  };
  // Those to write to come first: the kernel remembers of a detached queue
  // which one it was, and warns of a number beyond those that are attached.
  const first = open();
  const shared = {
    name: attachAlone(libc, first, { name, flags }, what),
    flags: flags | IFF_MULTI_QUEUE,
  };
  detachQueue(libc, first);
  const writeTo = [first];
  while (writeTo.length < counts.writers) {
    const fd = open();
    attach(libc, fd, shared, what);
    detachQueue(libc, fd);
    writeTo.push(fd);
  }
  const readFrom = Array.from({ length: counts.readers }, () => {
    const fd = open();
    attach(libc, fd, shared, what);
    return fd;
  });
  const queues = { readFrom, writeTo };
  const { namespace } = options;
  const kind = { name: shared.name, type, namespace };
  const device = new TunTapDevice(libc, queues, kind, () => {});
  opened.move();
  return device;
}

// A device that was made for several queues is good for a single reader, too.
function attachOne(
  libc: Libc,
  fd: number,
  request: AttachRequest,
  what: string,
): string {
  try {
    return attach(libc, fd, request, what);
  } catch (error) {
    const mayHaveSeveral = error instanceof TunTapError &&
      error.code === "wrong-kind";
    if (!mayHaveSeveral) throw error;
    return attachAlone(libc, fd, request, what);
  }
}

// A device of several queues is never busy for the kernel: another program
// that uses it would have its packets taken away.
function attachAlone(
  libc: Libc,
  fd: number,
  { name, flags }: AttachRequest,
  what: string,
): string {
  const request = { name, flags: flags | IFF_MULTI_QUEUE };
  const excluding = { name, flags: request.flags | IFF_TUN_EXCL };
  try {
    return attach(libc, fd, excluding, what);
  } catch (error) {
    if (!(error instanceof TunTapError) || error.code !== "busy") throw error;
  }
  // Looked at before as well: attach() takes the offloads from the device, and
  // another program would have to do without them from then on.
  if (queuesOf(libc, name) > 0) throw busy(what);
  const actual = attach(libc, fd, request, what);
  if (queuesOf(libc, actual) > 1) throw busy(what);
  return actual;
}

function queuesOf(libc: Libc, name: string): number {
  using socket = new RouteSocket(libc);
  const index = deviceIndex(libc, socket.fd, name);
  return countQueues(libc, name, index) ?? 0;
}

function openingOf(
  { name, type = "tun", vnetHeader = false }: DeviceOptions,
): AttachRequest & { readonly what: string; readonly type: DeviceType } {
  if (name !== undefined) checkDeviceName(name);
  return {
    what: name === undefined
      ? `open a new ${type} device`
      : `open the ${type} device '${name}'`,
    name: name ?? "",
    flags: (type === "tun" ? IFF_TUN : IFF_TAP) | IFF_NO_PI |
      (vnetHeader ? IFF_VNET_HDR : 0),
    type,
  };
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
  { name, flags }: AttachRequest,
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
      return busy(what, cause);
    case Errno.EINVAL:
    case Errno.EBADFD:
      return new TunTapError(
        "wrong-kind",
        `Cannot ${what}: the name belongs to a device of another kind; choose another name or type`,
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

function busy(what: string, cause?: SystemError): TunTapError {
  return new TunTapError(
    "busy",
    `Cannot ${what}: another program uses it; stop that or choose another name`,
    { cause },
  );
}
