// Addresses of network devices with their prefix lengths.

import { AF } from "../flags.ts";
import { cString, type Libc } from "../libc.ts";
import { TunTapError } from "./errors.ts";

export interface InterfacePrefix {
  /** `AF.INET` or `AF.INET6`. */
  readonly family: number;
  /** 4 or 16 bytes in network order. */
  readonly address: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly text: string;
}

/** @throws {TunTapError} `bad-setting`, when it is not like `10.0.0.1/24`. */
export function parseInterfacePrefix(
  libc: Libc,
  text: string,
): InterfacePrefix {
  const [, addressText, lengthText] = /^([^/\0]+)\/(\d{1,3})$/.exec(text) ?? [];
  if (addressText === undefined || lengthText === undefined) {
    throw unreadable(text, "the form is <address>/<prefix length>");
  }
  const isIpv6 = addressText.includes(":");
  const family = isIpv6 ? AF.INET6 : AF.INET;
  const address = new Uint8Array(isIpv6 ? 16 : 4);
  const length = Number(lengthText);
  const { inet_pton } = libc.symbols;
  if (inet_pton(family, cString(addressText), address) !== 1) {
    throw unreadable(text, "its address is neither IPv4 nor IPv6");
  }
  if (length > address.length * 8) {
    throw unreadable(text, `a prefix has 0 to ${address.length * 8} bits`);
  }
  return { family, address, length, text };
}

function unreadable(text: string, reason: string): TunTapError {
  return new TunTapError(
    "bad-setting",
    `Cannot use the device address ${JSON.stringify(text)}: ${reason}`,
  );
}
