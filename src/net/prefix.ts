// Address and prefix length, such as 10.0.0.1/24.
import { formatAddress, type IpAddress, parseAddress } from "./address.ts";
import { parseDecimal } from "./decimal.ts";

export interface Prefix {
  /** Host bits are kept: for a device address they are the point. */
  readonly address: IpAddress;
  readonly length: number;
}

/** undefined also for an address with a zone. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  if (address === undefined || address.zone !== undefined) return undefined;
  const bits = address.bytes.length * 8;
  const length = parseDecimal(text.slice(slash + 1), 0, bits);
  return length === undefined ? undefined : { address, length };
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`;
}

/** Whether an address is in the network of a prefix. */
export function prefixHolds(
  { address, length }: Prefix,
  { family, bytes }: IpAddress,
): boolean {
  if (family !== address.family) return false;
  const network = withoutHostBits(address.bytes, length);
  return withoutHostBits(bytes, length).every((byte, k) => byte === network[k]);
}

/** Whether all addresses of a network are in a wider one, or in the same. */
export function isWithin({ address, length }: Prefix, wider: Prefix): boolean {
  return length >= wider.length && prefixHolds(wider, address);
}

/** A copy, of which no bit is set behind the length. */
export function withoutHostBits(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, k) => {
    const bits = Math.min(8, Math.max(0, length - k * 8));
    return byte & (0xff00 >> bits);
  });
}
