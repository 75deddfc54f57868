// Addresses of streams: an IP endpoint, or a unix socket of this host.
import { type Endpoint, formatEndpoint } from "./endpoint.ts";

export interface UnixSocket {
  /** Absolute. */
  readonly path: string;
}

export type Place = Endpoint | UnixSocket;

export const UNIX_PREFIX = "unix:";

/** Also where a name stands for the address. */
export function isUnixSocket(place: object): place is UnixSocket {
  return "path" in place;
}

export function formatPlace(place: Place): string {
  return isUnixSocket(place)
    ? `${UNIX_PREFIX}${place.path}`
    : formatEndpoint(place);
}
