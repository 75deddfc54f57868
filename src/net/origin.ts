// Origins of connections, as coarse as they are counted.
import { formatAddress, type IpAddress } from "./address.ts";
import type { PeerStream } from "./duplex_stream.ts";

type Peer = Pick<PeerStream, "remote" | "uid">;

export interface Origin {
  /**
   * One host or one user of this host: an IPv4 address, 64 bits of an IPv6
   * address, or `uid:` and a number.
   */
  readonly source: string;
  /** Shared by the sources of one owner: 24 bits of IPv4, 48 of IPv6. */
  readonly network: string;
}

export function originOf({ remote, uid }: Peer): Origin {
  if (uid === undefined && "address" in remote) {
    const { address } = remote;
    return { source: sourceOfAddress(address), network: networkOf(address) };
  }
  const user = `uid:${uid ?? "unknown"}`;
  return { source: user, network: user };
}

export function sourceOfAddress(address: IpAddress): string {
  const isWhole = address.family === 4 || isLinkLocal(address);
  return isWhole ? formatAddress(address) : prefixOf(address, 64);
}

/** All hosts of a link have the same 64 bits (RFC 4291 section 2.5.6). */
function networkOf(address: IpAddress): string {
  if (address.family === 4) return prefixOf(address, 24);
  return prefixOf(address, isLinkLocal(address) ? 64 : 48);
}

function prefixOf({ family, bytes, zone }: IpAddress, length: number): string {
  const kept = bytes.map((byte, i) => 8 * i < length ? byte : 0);
  const text = formatAddress({
    family,
    bytes: kept,
    ...(zone === undefined ? {} : { zone }),
  });
  return `${text}/${length}`;
}

/** fe80::/10 */
function isLinkLocal({ family, bytes: [first = 0, second = 0] }: IpAddress) {
  return family === 6 && first === 0xfe && (second & 0xc0) === 0x80;
}
