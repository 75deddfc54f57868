// Options about the TUN or TAP device (CLI section 2, SATP section 11).
import { U16_MAX } from "../net/decimal.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import {
  type DeviceType,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  PAYLOAD_TYPE_BYTES,
} from "../satp/header.ts";
import { DEFAULT_MTU, MIN_IPV6_MTU } from "../tunnel/settings.ts";
import { OptionFault, type Warn } from "./fault.ts";
import {
  anyText,
  BadValue,
  decimal,
  flag,
  optional,
  repeated,
} from "./option.ts";
import type { Settings } from "./values.ts";

export interface DeviceOptions {
  /** At most 15 bytes; without one the kernel chooses. */
  readonly name: string | undefined;
  /** IP packets (tun) or Ethernet frames (tap). */
  readonly type: DeviceType;
}

export interface PostUpOptions {
  readonly script: string;
  /** Whether the daemon waits for it, and fails if it does. */
  readonly required: boolean;
}

export const deviceRows = {
  deviceName: optional({
    group: "Device",
    short: "-d",
    long: "--dev",
    argument: "name",
    parse: anyText,
    help: "name of the device, such as tun7 or tap%d (default: the system's)",
  }),
  deviceType: optional({
    group: "Device",
    short: "-t",
    long: "--type",
    argument: "type",
    parse: deviceType,
    choices: ["tun", "tap"],
    help: "tun for IP packets or tap for Ethernet frames (default: what the " +
      "name begins with, without a name tun)",
  }),
  ifconfig: repeated({
    group: "Device",
    short: "-n",
    long: "--ifconfig",
    argument: "address/length",
    parse: devicePrefix,
    help: "give the device this IPv4 or IPv6 address and bring it up; may be " +
      "given several times",
  }),
  mtu: optional({
    group: "Device",
    long: "--mtu",
    argument: "bytes",
    parse: decimal(68, U16_MAX),
    help: `largest packet of the device, with -n (default ${DEFAULT_MTU})`,
  }),
  postUpScript: optional({
    group: "Device",
    short: "-x",
    long: "--post-up-script",
    argument: "file",
    parse: anyText,
    help: "run this program when the device is there, with the name of the " +
      "device and /dev/net/tun as arguments and ANYTUN_DEVICE, ANYTUN_TYPE, " +
      "ANYTUN_ADDRESSES and ANYTUN_MTU in its environment",
  }),
  postUpRequired: flag({
    group: "Device",
    long: "--post-up-required",
    help: "wait for the -x program, and do not start if it fails",
  }),
  downScript: optional({
    group: "Device",
    long: "--down-script",
    argument: "file",
    parse: anyText,
    help: "run this program at the end, before the device goes away, with " +
      "what the -x program gets; it is waited for, but no longer than 10 s",
  }),
};

type DeviceSettings = Settings<typeof deviceRows>;

const MAX_NAME_BYTES = 15;
const ETHERNET_HEADER_BYTES = 14;

/**
 * Takes the type of a device as it is: the first three letters say what it is
 * (SATP section 11), the others whether there can be routing (section 8).
 */
function deviceType(text: string): string {
  if (deviceTypeOf(text) === undefined) throw new BadValue("tun or tap");
  return text;
}

function deviceTypeOf(text: string): DeviceType | undefined {
  const start = text.slice(0, 3);
  return start === "tun" || start === "tap" ? start : undefined;
}

export function devicePrefix(text: string): Prefix {
  const expected = "an address and a prefix length, such as 10.0.0.1/24";
  if (!text.includes("/")) throw new BadValue(expected, text.length);
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new BadValue(expected);
  return prefix;
}

/** Name and type of the device. A long name is cut, as in the original. */
export function deviceOf(
  { values, names }: DeviceSettings,
  warn: Warn,
): DeviceOptions {
  const { deviceName: name, deviceType = name ?? "tun" } = values;
  const type = deviceTypeOf(deviceType);
  if (type === undefined) {
    throw new OptionFault(
      `Cannot tell the type of device '${name}' (${names.deviceName}): ` +
        "add --type tun or --type tap",
    );
  }
  if (name === undefined || name.length <= MAX_NAME_BYTES) {
    return { name, type };
  }
  const cut = name.slice(0, MAX_NAME_BYTES);
  warn(
    `device name '${name}' (${names.deviceName}) has more than ` +
      `${MAX_NAME_BYTES} ` +
      `characters: using '${cut}'`,
  );
  return { name: cut, type };
}

/**
 * The MTU for a device that gets an address; any other is left alone.
 * @param tagLength Bytes of the authentication tag
 */
export function mtuOf(
  { values, names }: DeviceSettings,
  type: DeviceType,
  tagLength: number,
  warn: Warn,
): number | undefined {
  const { ifconfig, mtu: given } = values;
  if (ifconfig.length === 0) {
    if (given !== undefined) {
      warn(`${names.mtu} has no effect without --ifconfig (-n)`);
    }
    return undefined;
  }
  const mtu = given ?? DEFAULT_MTU;
  const hasIpv6 = ifconfig.some(({ address }) => address.family === 6);
  if (hasIpv6 && mtu < MIN_IPV6_MTU) {
    throw new OptionFault(
      `Cannot use ${names.mtu} ${mtu}: the IPv6 address ` +
        `(${names.ifconfig}) needs ` +
        `at least ${MIN_IPV6_MTU} bytes`,
    );
  }
  const room = MAX_DATAGRAM_BYTES - HEADER_BYTES - PAYLOAD_TYPE_BYTES -
    tagLength - (type === "tap" ? ETHERNET_HEADER_BYTES : 0);
  if (mtu > room) {
    warn(
      `MTU is ${mtu} (${names.mtu}): packets of more than ${room} bytes do not fit ` +
        "into a datagram and are dropped",
    );
  }
  return mtu;
}

export function postUpOf(
  { values, names }: DeviceSettings,
  warn: Warn,
): PostUpOptions | undefined {
  const { postUpScript: script, postUpRequired: required } = values;
  if (script !== undefined) return { script, required };
  if (required) {
    const { postUpRequired } = names;
    warn(`${postUpRequired} has no effect without --post-up-script (-x)`);
  }
  return undefined;
}
