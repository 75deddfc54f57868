// Networks that the kernel's table may have for the tunnel (--routes-install).
import {
  isDefaultRoute,
  type KernelRouteOptions,
} from "../config/kernel_routes.ts";
import type { IpAddress } from "../net/address.ts";
import { isWithin, type Prefix, prefixHolds } from "../net/prefix.ts";

/**
 * Why the kernel is not to have a route to a network, if it is not. What other
 * members tell of takes this host's own packets as well, whatever they are for.
 *
 * @param peers Of the connection that the network is behind, as members tell of
 * it, and those that options name. Where others are heard does not count: with a
 * forged source they could put somebody else's network out of the way
 */
export function refusalOf(
  prefix: Prefix,
  peers: readonly IpAddress[],
  { mayHoldPeers, own, accepted }: KernelRouteOptions,
): string | undefined {
  const { address, length } = prefix;
  if (!mayHoldPeers && isDefaultRoute(address.bytes.length, length)) {
    return "the datagrams to peers need --mark to go elsewhere";
  }
  if (own.some((one) => isSame(one, prefix))) return undefined;
  if (!accepted.some((wider) => isWithin(prefix, wider))) {
    return "another member tells of it, and --routes-accept does not hold it";
  }
  if (mayHoldPeers || !peers.some((peer) => prefixHolds(prefix, peer))) {
    return undefined;
  }
  return "another member tells of it, and it holds the address of a peer, " +
    "whose datagrams need --mark to go elsewhere";
}

function isSame(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && isWithin(a, b);
}
