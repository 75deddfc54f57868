// Addresses of streams: an IP endpoint, or a unix socket of this host.
import { isLoopback, parseAddress } from "./address.ts";
import { type Endpoint, formatEndpoint } from "./endpoint.ts";

export interface UnixSocket {
  /** Absolute. */
  readonly path: string;
}

export type Place = Endpoint | UnixSocket;

/** A port of a host that may have to be resolved. */
export interface HostPort {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 to 65535; where one listens, 0 lets the system choose. */
  readonly port: number;
}

/** A place as people name it. */
export type PlaceName = HostPort | UnixSocket;

/** What the text of a unix socket begins with. */
export const UNIX_PREFIX = "unix:";

/** Also where a name stands for the address. */
export function isUnixSocket(place: object): place is UnixSocket {
  return "path" in place;
}

/** A name may be anybody's, but for the one that is loopback's. */
export function isOnThisHost(place: PlaceName): boolean {
  if (isUnixSocket(place)) return true;
  const address = parseAddress(place.host);
  return address === undefined
    ? place.host === "localhost"
    : isLoopback(address);
}

export function formatPlace(place: Place): string {
  return isUnixSocket(place)
    ? `${UNIX_PREFIX}${place.path}`
    : formatEndpoint(place);
}

/**
 * The text of a place as it was named, for people: as those of the original, and
 * so without brackets around IPv6 (sync section 1).
 */
export function formatPlaceName(name: PlaceName): string {
  return isUnixSocket(name) ? formatPlace(name) : `${name.host}:${name.port}`;
}
