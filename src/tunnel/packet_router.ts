// Choice of the connection that carries a packet (SATP section 8).
import type { RouteTable } from "../route/table.ts";
import type { Connection, Connections } from "./connection.ts";

export class PacketRouter {
  readonly #connections: Connections;
  readonly #ownMux: number;
  readonly #routes: RouteTable | undefined;
  // Where there are no routes.
  #only: Connection | undefined;

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

  /** To be called for each batch: what is the same for all of it is found here. */
  begin(): void {
    if (this.#routes !== undefined) return;
    this.#only = this.#known(this.#connections.table.lowestMux());
  }

  /** @returns undefined if the packet is to be dropped */
  route(memory: Uint8Array, at: number, size: number): Connection | undefined {
    const routes = this.#routes;
    if (routes === undefined) return this.#only;
    return this.#known(routes.lookup(memory, at, size));
  }

  headerMux(connection: Connection): number {
    return this.#routes === undefined ? this.#ownMux : connection.mux;
  }

  #known(mux: number): Connection | undefined {
    return mux < 0 ? undefined : this.#connections.get(mux);
  }
}
