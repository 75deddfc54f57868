/**
 * Readers of option values, strict where the originals guess.
 *
 * @module
 */
import { parseAddress } from "../net/address.ts";
import { parseDecimal } from "../net/decimal.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import { bytesFromHex } from "../satp/hex.ts";
import {
  type AuthAlgo,
  cipherFromName,
  type CipherName,
  SALT_BYTES,
} from "../satp/params.ts";
import type { DeviceType } from "../satp/payload.ts";
import { BadValue } from "./option.ts";

/** The largest number of 16 bits. */
export const U16_MAX = 0xffff;
/** The largest number of 32 bits. */
export const U32_MAX = 0xffffffff;

/** A reader of decimal numbers within a range. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = parseDecimal(text, min, max);
    if (value === undefined) {
      throw new BadValue(`a decimal number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Takes any text as it is. */
export function anyText(text: string): string {
  return text;
}

/**
 * Reads a host: an address, or what may be a name.
 *
 * @throws {BadValue} for what can be neither, such as `host:port`
 */
export function host(text: string): string {
  if (parseAddress(text) === undefined && !/^[\w.-]+$/.test(text)) {
    throw new BadValue("a host name, or an address without brackets and port");
  }
  return text;
}

/**
 * Takes the type of a device as it is: the first three letters say what it is
 * (SATP section 11), the others whether there can be routing (section 8).
 *
 * @throws {BadValue} if it begins with neither tun nor tap
 */
export function deviceType(text: string): string {
  if (deviceTypeOf(text) === undefined) throw new BadValue("tun or tap");
  return text;
}

/** The device type that a name or type begins with. */
export function deviceTypeOf(text: string): DeviceType | undefined {
  const start = text.slice(0, 3);
  return start === "tun" || start === "tap" ? start : undefined;
}

/**
 * Reads the address of the device with its prefix length.
 *
 * @throws {BadValue} if it is none
 */
export function devicePrefix(text: string): Prefix {
  const expected = "an address and a prefix length, such as 10.0.0.1/24";
  if (!text.includes("/")) throw new BadValue(expected, text.length);
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new BadValue(expected);
  return prefix;
}

/**
 * Reads the name of a cipher or key derivation.
 *
 * @throws {BadValue} if there is none of this name
 */
export function cipher(text: string): CipherName {
  const name = cipherFromName(text);
  if (name === undefined) {
    throw new BadValue(
      "null, aes-ctr, aes-ctr-128, aes-ctr-192 or aes-ctr-256",
    );
  }
  return name;
}

/**
 * Reads the name of an authentication algorithm.
 *
 * @throws {BadValue} if there is none of this name
 */
export function authAlgo(text: string): AuthAlgo {
  if (text !== "null" && text !== "sha1") throw new BadValue("null or sha1");
  return text;
}

/**
 * Reads a master key; whether its length fits depends on the key derivation.
 *
 * @throws {BadValue} if it is not hexadecimal
 */
export function masterKey(text: string): Uint8Array {
  const key = bytesFromHex(text);
  if (key === undefined) {
    throw new BadValue("hexadecimal digits, two for each byte");
  }
  return key;
}

/**
 * Reads a master salt.
 *
 * @throws {BadValue} if it is not hexadecimal, or not 14 bytes
 */
export function masterSalt(text: string): Uint8Array {
  const salt = bytesFromHex(text);
  if (salt?.length !== SALT_BYTES) {
    throw new BadValue(`${2 * SALT_BYTES} hexadecimal digits`);
  }
  return salt;
}
