// Looks at the peers of a table.
import { formatNamedEndpoint, type InterfaceName } from "../net/zone.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { ConnectionCounter } from "./counters.ts";
import { endpointOf } from "./endpoint_words.ts";
import type { PeerSighting } from "./peer_watch.ts";

/**
 * All connections.
 * @param interfaceName For zones of addresses
 * @returns One object, which is another sighting each time
 */
export function* sightingsOf(
  table: ConnectionTable,
  interfaceName?: InterfaceName,
): Generator<PeerSighting> {
  const sighting = new Sighting(table, interfaceName);
  for (const mux of table.liveMuxes()) yield sighting.of(mux);
}

/** @param interfaceName For zones of addresses */
export function sightingOf(
  table: ConnectionTable,
  mux: number,
  interfaceName?: InterfaceName,
): PeerSighting {
  return new Sighting(table, interfaceName).of(mux);
}

class Sighting implements PeerSighting {
  readonly #table: ConnectionTable;
  readonly #interfaceName: InterfaceName | undefined;
  mux = 0;
  lastHeard: number | undefined;
  sent = 0;

  constructor(table: ConnectionTable, interfaceName?: InterfaceName) {
    this.#table = table;
    this.#interfaceName = interfaceName;
  }

  // Of thousands of peers, hardly any has to be read again.
  get remote(): string | undefined {
    return remoteOf(this.#table, this.mux, this.#interfaceName);
  }

  of(mux: number): this {
    this.mux = mux;
    this.lastHeard = this.#table.lastHeard(mux);
    // Nobody answers datagrams without payload.
    this.sent = this.#table.counters.sumOf(mux, ConnectionCounter.PACKETS_OUT);
    return this;
  }
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
