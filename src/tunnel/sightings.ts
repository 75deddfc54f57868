// Looks at the peers of a table.
import { formatEndpoint } from "../net/endpoint.ts";
import { type InterfaceName, withNamedZone } from "../net/zone.ts";
import { type ConnectionTable, endpointWords } from "./connection_table.ts";
import { ConnectionCounter } from "./counters.ts";
import { readEndpoint } from "./endpoint_words.ts";
import type { PeerSighting } from "./peer_watch.ts";

const NO_NAMES: InterfaceName = () => undefined;

/** @param interfaceName For zones of addresses */
export function sightingOf(
  table: ConnectionTable,
  mux: number,
  interfaceName = NO_NAMES,
): PeerSighting {
  return {
    mux,
    // Of thousands of peers, hardly any has to be read again.
    get remote() {
      return remoteOf(table, mux, interfaceName);
    },
    lastHeard: table.lastHeard(mux),
    // Nobody answers datagrams without payload.
    sent: table.countOf(mux, ConnectionCounter.PACKETS_OUT),
  };
}

/** Such as `192.0.2.1:4444`; undefined as long as nobody knows. */
export function remoteOf(
  table: ConnectionTable,
  mux: number,
  interfaceName = NO_NAMES,
): string | undefined {
  const words = endpointWords();
  table.copyEndpoint(mux, words, 0);
  const endpoint = readEndpoint(words, 0);
  if (endpoint === undefined) return undefined;
  const address = withNamedZone(endpoint.address, interfaceName);
  return formatEndpoint({ address, port: endpoint.port });
}
