/** Sync over TCP as it is, without TLS. */
import type { Endpoint } from "../src/net/endpoint.ts";
import { isUnixSocket, type Place } from "../src/net/place.ts";
import { connectTcp } from "./deno_tcp.ts";
import type { SyncListener, SyncStream } from "../src/sync/streams.ts";
import { listenTcp } from "./deno_listener.ts";

/** Listens on TCP, for whoever comes. */
export function listenPlain(on: Place): SyncListener<Endpoint> {
  return listenTcp(endpointOf(on));
}

/** Connects by TCP, whoever is there. */
export function connectPlain(
  to: Place,
  signal: AbortSignal,
): Promise<SyncStream> {
  return connectTcp(endpointOf(to), signal);
}

/** A place that is no unix socket. */
export function endpointOf(place: Place | undefined): Endpoint {
  if (place !== undefined && !isUnixSocket(place)) return place;
  throw new Error("Cannot make an endpoint: it is none");
}
