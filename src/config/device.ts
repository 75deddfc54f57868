/**
 * What the options about the device mean together (SATP section 11).
 *
 * @module
 */
import {
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  PAYLOAD_TYPE_BYTES,
} from "../satp/header.ts";
import type { DeviceType } from "../satp/payload.ts";
import type { DeviceOptions } from "./anytun_options.ts";
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import type { AnytunValues } from "./table.ts";
import { deviceTypeOf } from "./values.ts";

const MAX_NAME_BYTES = 15;
const DEFAULT_MTU = 1400;
/** RFC 8200 section 5. */
const MIN_IPV6_MTU = 1280;
const ETHERNET_HEADER_BYTES = 14;

/**
 * Name and type of the device. A long name is cut, as in the original.
 *
 * @throws {OptionFault} if there is no type, and the name does not tell it
 */
export function deviceOf(
  { deviceName: name, deviceType = name ?? "tun" }: AnytunValues,
  warn: Warn,
): DeviceOptions {
  const type = deviceTypeOf(deviceType);
  if (type === undefined) {
    throw new OptionFault(
      `Cannot tell the type of device '${name}' (--dev): ` +
        "add --type tun or --type tap",
    );
  }
  if (name === undefined || name.length <= MAX_NAME_BYTES) {
    return { name, type };
  }
  const cut = name.slice(0, MAX_NAME_BYTES);
  warn(
    `device name '${name}' (--dev) has more than ${MAX_NAME_BYTES} ` +
      `characters: using '${cut}'`,
  );
  return { name: cut, type };
}

/**
 * The MTU for a device that gets an address; any other is left alone.
 *
 * @param tagLength Bytes of the authentication tag
 * @throws {OptionFault} if an IPv6 address could not work with it
 */
export function mtuOf(
  { ifconfig, mtu: given }: AnytunValues,
  type: DeviceType,
  tagLength: number,
  warn: Warn,
): number | undefined {
  if (ifconfig.length === 0) {
    if (given !== undefined) {
      warn("--mtu has no effect without --ifconfig (-n)");
    }
    return undefined;
  }
  const mtu = given ?? DEFAULT_MTU;
  const hasIpv6 = ifconfig.some(({ address }) => address.family === 6);
  if (hasIpv6 && mtu < MIN_IPV6_MTU) {
    throw new OptionFault(
      `Cannot use --mtu ${mtu}: the IPv6 address (--ifconfig) needs ` +
        `at least ${MIN_IPV6_MTU} bytes`,
    );
  }
  const room = MAX_DATAGRAM_BYTES - HEADER_BYTES - PAYLOAD_TYPE_BYTES -
    tagLength - (type === "tap" ? ETHERNET_HEADER_BYTES : 0);
  if (mtu > room) {
    warn(
      `MTU is ${mtu} (--mtu): packets of more than ${room} bytes do not fit ` +
        "into a datagram and are dropped",
    );
  }
  return mtu;
}
