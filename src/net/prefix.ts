/**
 * Address and prefix length, such as 10.0.0.1/24.
 *
 * @module
 */
import { formatAddress, type IpAddress, parseAddress } from "./address.ts";
import { parseDecimal } from "./decimal.ts";

/** An address with the number of its leading bits that name the network. */
export interface Prefix {
  /** Host bits are kept: as a device address they are the point of it. */
  readonly address: IpAddress;
  /** 0 to 32 (IPv4) or 128 (IPv6). */
  readonly length: number;
}

/**
 * Reads `address/length`.
 *
 * @returns undefined if the text is no prefix, or its address has a zone
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  if (address === undefined || address.zone !== undefined) return undefined;
  const bits = address.bytes.length * 8;
  const length = parseDecimal(text.slice(slash + 1), 0, bits);
  return length === undefined ? undefined : { address, length };
}

/** The text of a prefix: `address/length`. */
export function formatPrefix({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`;
}
