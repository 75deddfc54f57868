// Addresses, MTU and state of a TUN or TAP device.

import type { DeviceSettings, DeviceType } from "./types.ts";
import { Errno, SystemError } from "../errno.ts";
import { AF, SOCK } from "../flags.ts";
import { readFile } from "../process/file.ts";
import {
  deviceIndex,
  deviceMtu,
  hasIpv4Address,
  isDeviceRunning,
  isDeviceUp,
} from "./ifreq.ts";
import {
  type InterfacePrefix,
  parseInterfacePrefix,
} from "./interface_prefix.ts";
import type { Libc } from "../libc.ts";
import {
  addressMessage,
  type LinkRequest,
  linkStateMessage,
  mtuMessage,
  RouteSocket,
} from "./rtnetlink.ts";
import { TunTapError } from "./errors.ts";

/** RFC 791 section 3.2: every link carries 68 bytes. */
const MIN_MTU = 68;
const MAX_MTU = 65535;
/** RFC 8200 section 5. */
const MIN_MTU_IPV6 = 1280;

/** See {@linkcode TunTap.configure}. */
export function configureLink(
  libc: Libc,
  name: string,
  type: DeviceType,
  settings: DeviceSettings,
): void {
  const { mtu, up } = settings;
  const prefixes = (settings.addresses ?? []).map((text) =>
    parseInterfacePrefix(libc, text)
  );
  if (mtu !== undefined) checkMtu(mtu);
  using socket = new RouteSocket(libc);
  const index = ask(name, () => deviceIndex(libc, socket.fd, name));
  const present = ask(name, () => deviceMtu(libc, socket.fd, name));
  checkRoomForIpv6(prefixes, mtu ?? present);
  const requests: LinkRequest[] = [];
  if (mtu !== undefined) {
    requests.push({
      what: `set the MTU of ${name} to ${mtu}`,
      message: mtuMessage(index, mtu),
    });
  }
  for (const prefix of prefixes) {
    requests.push({
      what: `give ${name} the address ${prefix.text}`,
      message: addressMessage(index, prefix, type === "tap"),
    });
  }
  if (up !== undefined) {
    requests.push({
      what: `set ${name} ${up ? "up" : "down"}`,
      message: linkStateMessage(index, up),
    });
  }
  for (const request of requests) carryOut(socket, request);
}

/** @throws {TunTapError} `gone`, when there is no such device. */
export function linkMtu(libc: Libc, name: string): number {
  const fd = questionSocket(libc);
  try {
    return ask(name, () => deviceMtu(libc, fd, name));
  } finally {
    libc.symbols.close(fd);
  }
}

/** @throws {SystemError} When there is no such device. */
export function isLinkRunning(libc: Libc, name: string): boolean {
  const fd = questionSocket(libc);
  try {
    return isDeviceRunning(libc, fd, name);
  } finally {
    libc.symbols.close(fd);
  }
}

/**
 * For the ioctls of netdevice(7) that ask about devices of this namespace: of any
 * kind, and this one is good for nothing else, and granted by a sandbox.
 * @returns Its descriptor.
 */
export function questionSocket(libc: Libc): number {
  const fd = libc.symbols.socket(AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  if (fd < 0) throw libc.error("ask about a device", "socket");
  return fd;
}

/** What a device has by now. */
export interface LinkState {
  readonly isUp: boolean;
  /** Other than those that it gives itself; undefined where nobody can tell. */
  readonly hasAddress: boolean | undefined;
}

/** @throws {SystemError} When there is no such device. */
export function linkState(libc: Libc, name: string): LinkState {
  const fd = libc.symbols.socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  if (fd < 0) throw libc.error("open a socket", "socket");
  try {
    const isUp = isDeviceUp(libc, fd, name);
    const hasAddress = hasIpv4Address(libc, fd, name) ||
      hasIpv6Address(libc, name);
    return { isUp, hasAddress };
  } finally {
    libc.symbols.close(fd);
  }
}

// Lines such as "fe80…01 02 40 20 80 tun0": address, index, prefix length, scope
// (20 is the link), flags, name.
function hasIpv6Address(libc: Libc, name: string): boolean | undefined {
  try {
    const text = new TextDecoder().decode(readFile(libc, "/proc/net/if_inet6"));
    return text.split("\n").map((line) => line.trim().split(/\s+/))
      .some((fields) => fields[5] === name && fields[3] !== "20");
  } catch {
    // Without IPv6 there is no such file, and in a jail none at all.
    return undefined;
  }
}

function ask(name: string, query: () => number): number {
  try {
    return query();
  } catch (cause) {
    const message = `Cannot find the device ${name}: it is gone`;
    throw new TunTapError("gone", message, { cause });
  }
}

function checkMtu(mtu: number): void {
  if (Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU) return;
  throw new TunTapError(
    "bad-setting",
    `Cannot set the MTU: ${mtu} is not a whole number from ${MIN_MTU} to ${MAX_MTU}`,
  );
}

function checkRoomForIpv6(
  prefixes: readonly InterfacePrefix[],
  mtu: number,
): void {
  const prefix = prefixes.find(({ family }) => family === AF.INET6);
  if (prefix === undefined || mtu >= MIN_MTU_IPV6) return;
  throw new TunTapError(
    "bad-setting",
    `Cannot use the device address ${prefix.text}: IPv6 needs an MTU of at least ${MIN_MTU_IPV6}, it is ${mtu}`,
  );
}

function carryOut(socket: RouteSocket, request: LinkRequest): void {
  try {
    socket.request(request);
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    throw refusal(request.what, cause);
  }
}

function refusal(what: string, cause: SystemError): TunTapError {
  switch (cause.errno) {
    case Errno.EPERM:
      return new TunTapError(
        "not-permitted",
        `Cannot ${what}: it needs root or the capability CAP_NET_ADMIN`,
        { cause },
      );
    case Errno.EACCES:
      return new TunTapError(
        "failed",
        `Cannot ${what}: IPv6 is disabled on the device (sysctl net.ipv6.conf.*.disable_ipv6)`,
        { cause },
      );
    default:
      return new TunTapError("failed", cause.message, { cause });
  }
}
