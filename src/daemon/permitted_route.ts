// Networks that the kernel's table may have for the tunnel (--routes-install).
import {
  isDefaultRoute,
  type KernelRouteOptions,
} from "../config/kernel_routes.ts";
import type { IpAddress } from "../net/address.ts";
import { isWithin, type Prefix, prefixHolds } from "../net/prefix.ts";

/** What a network of others must not take from this host. */
interface Spared {
  /** Networks that it is in itself, by other devices. */
  readonly neighbours: readonly Prefix[];
  /**
   * Of the connection that the network is behind, as members tell of it, and
   * those that options name. Where others are heard does not count: with a forged
   * source they could put somebody else's network out of the way.
   */
  readonly peers: readonly IpAddress[];
}

/**
 * Why the kernel is not to have a route to a network, if it is not. What other
 * members tell of takes this host's own packets as well, whatever they are for.
 */
export function refusalOf(
  prefix: Prefix,
  { neighbours, peers }: Spared,
  { mayHoldPeers, own, accepted }: KernelRouteOptions,
): string | undefined {
  const { address, length } = prefix;
  if (!mayHoldPeers && isDefaultRoute(address.bytes.length, length)) {
    return "the datagrams to peers need --mark to go elsewhere";
  }
  if (own.some((one) => isSame(one, prefix))) return undefined;
  if (!accepted.some((wider) => isWithin(prefix, wider))) {
    return `${TOLD}, and --routes-accept does not hold it`;
  }
  // A wider one leaves the network of the host alone.
  if (neighbours.some((one) => isWithin(prefix, one))) {
    return `${TOLD}, and it is in a network of this host's own`;
  }
  if (mayHoldPeers || !peers.some((peer) => prefixHolds(prefix, peer))) {
    return undefined;
  }
  return `${TOLD}, and it holds the address of a peer, whose datagrams need ` +
    "--mark to go elsewhere";
}

const TOLD = "another member tells of it";

function isSame(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && isWithin(a, b);
}
