// Looks at the peers of a table.
import { formatNamedEndpoint, type InterfaceName } from "../net/zone.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { ConnectionCounter } from "./counters.ts";
import { endpointOf } from "./endpoint_words.ts";
import type { PeerSighting } from "./peer_watch.ts";

/** @param interfaceName For zones of addresses */
export function sightingOf(
  table: ConnectionTable,
  mux: number,
  interfaceName?: InterfaceName,
): PeerSighting {
  return {
    mux,
    // Of thousands of peers, hardly any has to be read again.
    get remote() {
      return remoteOf(table, mux, interfaceName);
    },
    lastHeard: table.lastHeard(mux),
    // Nobody answers datagrams without payload.
    sent: table.counters.sumOf(mux, ConnectionCounter.PACKETS_OUT),
  };
}

/** Such as `192.0.2.1:4444`; undefined as long as nobody knows. */
export function remoteOf(
  table: Pick<ConnectionTable, "endpoints">,
  mux: number,
  interfaceName?: InterfaceName,
): string | undefined {
  const endpoint = endpointOf(table, mux);
  return endpoint && formatNamedEndpoint(endpoint, interfaceName);
}
