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

/** The address alone, of a network. */
export function withoutNetwork({ address }: Prefix): Prefix {
  return { address, length: 8 * address.bytes.length };
}

/** The network alone: two of one text hold the same addresses. */
export function formatNetwork({ address, length }: Prefix): string {
  const bytes = withoutHostBits(address.bytes, length);
  return formatPrefix({ address: { family: address.family, bytes }, length });
}

/** Whether an address is in the network of a prefix. */
export function prefixHolds(
  { address, length }: Prefix,
  { family, bytes }: IpAddress,
): boolean {
  // In place: there may be thousands of prefixes to look at.
  const network = address.bytes;
  return family === address.family &&
    bytes.every((byte, k) =>
      ((byte ^ (network[k] ?? 0)) & networkBits(k, length)) === 0
    );
}

/** Whether all addresses of a network are in a wider one, or in the same. */
export function isWithin({ address, length }: Prefix, wider: Prefix): boolean {
  return length >= wider.length && prefixHolds(wider, address);
}

/** A copy, of which no bit is set behind the length. */
export function withoutHostBits(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, k) => byte & networkBits(k, length));
}

/** Of a byte of an address, those before the length. */
function networkBits(at: number, length: number): number {
  const bits = Math.min(8, Math.max(0, length - at * 8));
  return 0xff00 >> bits & 0xff;
}
