/**
 * Options about the TUN or TAP device (CLI section 2, SATP section 11).
 *
 * @module
 */
import { flag, optional, repeated } from "../option.ts";
import {
  anyText,
  decimal,
  devicePrefix,
  deviceType,
  U16_MAX,
} from "../values.ts";

/** `-d`, `-t`, `-n`, `-x` and what belongs to them. */
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
    help: "largest packet of the device, with -n (default 1400)",
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
};
