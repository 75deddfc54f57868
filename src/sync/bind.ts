// Addresses of the sync server. Without TLS whoever connects gets all keys, so
// the default is loopback.
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { type IpAddress, isLoopback, parseAddress } from "../net/address.ts";
import {
  formatPlace,
  isUnixSocket,
  type Place,
  type PlaceName,
} from "../net/place.ts";
import type { Lookup } from "../net/resolver.ts";
import { isUnspecified } from "./record.ts";
import type { Listen, SyncListener, TcpSyncListener } from "./streams.ts";

/**
 * @throws if the name has no address, or an address cannot be bound; nothing
 * stays open then
 */
export async function bindSync(
  bind: PlaceName,
  listen: Listen,
  lookup: Lookup,
): Promise<SyncListener[]> {
  const places = await placesOf(bind, lookup);
  using opened = new DisposableStack();
  const listeners = places.map((place) =>
    opened.adopt(open(listen, place), (listener) => listener.close())
  );
  opened.move();
  return listeners;
}

/**
 * For those that were bound to listen later.
 * @throws if another program listens at one of them by now
 */
export function listenSync(bound: Iterable<TcpSyncListener>): void {
  for (const listener of bound) {
    try {
      listener.listen();
    } catch (cause) {
      throw bindError(formatPlace(listener.local), cause);
    }
  }
}

/** Says that it listens, and whom that may let in. */
export function announceSync(
  { local, isProtected }: SyncListener,
  log: Logger,
): void {
  const text = formatPlace(local);
  log.notice(
    `sync server listening on ${text}${isProtected ? " with TLS" : ""}`,
  );
  if (isProtected || isUnixSocket(local) || isLoopback(local.address)) return;
  const who = isUnspecified(local) ? "from everywhere" : "from other hosts";
  log.warning(
    `sync server on ${text} can be reached ${who}: master keys travel in clear text, to anybody who connects`,
  );
}

function open(listen: Listen, place: Place): SyncListener {
  try {
    return listen(place);
  } catch (cause) {
    throw bindError(formatPlace(place), cause);
  }
}

async function placesOf(
  bind: PlaceName,
  lookup: Lookup,
): Promise<readonly Place[]> {
  if (isUnixSocket(bind)) return [bind];
  const { host, port } = bind;
  const addresses = await addressesOf(host, lookup);
  return addresses.map((address) => ({ address, port }));
}

async function addressesOf(
  host: string,
  lookup: Lookup,
): Promise<readonly IpAddress[]> {
  const address = parseAddress(host);
  if (address !== undefined) return [address];
  try {
    return await lookup(host, "any");
  } catch (cause) {
    throw bindError(host, cause);
  }
}

function bindError(where: string, cause: unknown): Error {
  const text = `Cannot listen for sync clients on ${where}: ${reasonOf(cause)}`;
  return new Error(text, { cause });
}
