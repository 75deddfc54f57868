// Choice of the connection that carries a packet (SATP section 8).
import type { RouteTable } from "../route/table.ts";
import type { Connection, Connections } from "./connection.ts";

export class PacketRouter {
  readonly #connections: Connections;
  readonly #ownMux: number;
  readonly #routes: RouteTable | undefined;

  /**
   * @param ownMux Goes into the header where there are no routes
   * @param routes Without them the connection of the lowest mux carries all
   */
  constructor(
    connections: Connections,
    ownMux: number,
    routes: RouteTable | undefined,
  ) {
    this.#connections = connections;
    this.#ownMux = ownMux;
    this.#routes = routes;
  }

  /** @returns undefined if the packet is to be dropped */
  route(memory: Uint8Array, at: number, size: number): Connection | undefined {
    const routes = this.#routes;
    const mux = routes === undefined
      ? this.#connections.table.lowestMux()
      : routes.lookup(memory, at, size);
    return mux < 0 ? undefined : this.#connections.get(mux);
  }

  headerMux(connection: Connection): number {
    return this.#routes === undefined ? this.#ownMux : connection.mux;
  }
}
