/**
 * Where a stream begins or ends: an address and a port, or a unix socket of
 * this host.
 *
 * @module
 */
import { type Endpoint, formatEndpoint } from "./endpoint.ts";

/** A unix socket. */
export interface UnixSocket {
  /** The absolute path of its file. */
  readonly path: string;
}

/** Either of both. */
export type Place = Endpoint | UnixSocket;

/** What the text of a unix socket begins with. */
export const UNIX_PREFIX = "unix:";

/** Tells both apart, also where a name stands for the address. */
export function isUnixSocket(place: object): place is UnixSocket {
  return "path" in place;
}

/** The text of a place, such as `unix:/run/anytun.sock`, for people. */
export function formatPlace(place: Place): string {
  return isUnixSocket(place)
    ? `${UNIX_PREFIX}${place.path}`
    : formatEndpoint(place);
}
