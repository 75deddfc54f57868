/**
 * The choice of a connection where there is nothing to choose: without
 * routing the one with the lowest mux carries everything, and the own mux goes
 * into the header (SATP section 8).
 *
 * @module
 */
import type { Connection, Connections } from "./connection.ts";
import type { Chooser } from "./outbound.ts";

/** {@link Chooser} of point-to-point tunnels. */
export class PointToPoint implements Chooser {
  readonly #connections: Connections;
  readonly #ownMux: number;

  constructor(connections: Connections, ownMux: number) {
    this.#connections = connections;
    this.#ownMux = ownMux;
  }

  choose(): Connection | undefined {
    const mux = this.#connections.table.lowestMux();
    return mux < 0 ? undefined : this.#connections.get(mux);
  }

  headerMux(): number {
    return this.#ownMux;
  }
}
