/**
 * The choice of a connection by destination address: longest prefix match in
 * the routing table gives the mux (SATP section 8).
 *
 * @module
 */
import type { RouteTable } from "../route/table.ts";
import type { Connection, Connections } from "./connection.ts";
import type { Chooser } from "./outbound.ts";

/** {@link Chooser} of daemons with many peers. */
export class Routed implements Chooser {
  readonly #connections: Connections;
  readonly #routes: RouteTable;

  constructor(connections: Connections, routes: RouteTable) {
    this.#connections = connections;
    this.#routes = routes;
  }

  choose(memory: Uint8Array, at: number, size: number): Connection | undefined {
    const mux = this.#routes.lookup(memory, at, size);
    return mux < 0 ? undefined : this.#connections.get(mux);
  }

  headerMux(connection: Connection): number {
    return connection.mux;
  }
}
