// Numbers of connections, a few of each, which one metric after the other goes
// through. Whole reports of tens of thousands would be a hundred megabytes, for as
// long as somebody reads.
import {
  CONNECTION_COUNTER_INFOS,
  CONNECTION_COUNTERS,
} from "../tunnel/counters.ts";
import type { ConnectionReport } from "./report.ts";

/** Behind the counters, which have their own indexes. */
export const ConnectionGauge = {
  MUX: CONNECTION_COUNTERS,
  LAST_HEARD: CONNECTION_COUNTERS + 1,
  PATH_MTU: CONNECTION_COUNTERS + 2,
  KEY_EPOCH: CONNECTION_COUNTERS + 3,
  ROUTES: CONNECTION_COUNTERS + 4,
} as const;

const WIDTH = CONNECTION_COUNTERS + 5;

interface ConnectionSample {
  readonly mux: number;
  readonly value: number;
}

export class ConnectionSamples {
  readonly #values: Float64Array;
  #count = 0;

  /** @param most Connections that there is room for */
  constructor(most: number) {
    this.#values = new Float64Array(most * WIDTH);
  }

  get count(): number {
    return this.#count;
  }

  add(connection: ConnectionReport): void {
    const { mux, lastHeard, pathMtu, keyEpoch, routes, counters } = connection;
    const at = this.#count++ * WIDTH;
    const values = this.#values;
    for (const { index, name } of CONNECTION_COUNTER_INFOS) {
      values[at + index] = counters[name] ?? 0;
    }
    values[at + ConnectionGauge.MUX] = mux;
    // Without a sample nobody would be woken for a peer that never came.
    values[at + ConnectionGauge.LAST_HEARD] = lastHeard ?? 0;
    values[at + ConnectionGauge.PATH_MTU] = pathMtu ?? NaN;
    values[at + ConnectionGauge.KEY_EPOCH] = keyEpoch ?? NaN;
    values[at + ConnectionGauge.ROUTES] = routes.length;
  }

  /** One number of each connection, but for those that have none. */
  *of(index: number): Generator<ConnectionSample> {
    const values = this.#values;
    for (let at = 0; at < this.#count * WIDTH; at += WIDTH) {
      const value = values[at + index] ?? NaN;
      const mux = values[at + ConnectionGauge.MUX] ?? 0;
      if (!Number.isNaN(value)) yield { mux, value };
    }
  }
}
