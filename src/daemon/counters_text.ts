// Counters as log lines.
import type { LogLine } from "../log/logger.ts";
import type { ConnectionCounters } from "../tunnel/connection_counters.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import {
  CONNECTION_COUNTER_INFOS,
  type CounterInfo,
  namedCounts,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";

interface CountingTable extends Pick<ConnectionTable, "liveMuxes"> {
  readonly counters: Pick<ConnectionCounters, "sum">;
}

/**
 * A line for each connection, by ascending mux, and one for what belongs to
 * none.
 * @param plane The counters of the plane, once there is one
 */
export function* counterLines(
  table: CountingTable,
  plane: Float64Array | undefined,
): Generator<LogLine> {
  for (const mux of table.liveMuxes()) {
    const infos = CONNECTION_COUNTER_INFOS;
    const counted = table.counters.sum(mux);
    yield {
      text: `connection ${mux}: ${texts(infos, counted)}`,
      fields: { mux, counters: namedCounts(infos, counted) },
    };
  }
  if (plane !== undefined) {
    const drops = PLANE_COUNTER_INFOS.filter(({ isLoss }) => isLoss);
    const others = PLANE_COUNTER_INFOS.filter(({ isLoss }) => !isLoss);
    for (
      const [what, infos] of [["dropped", drops], ["besides", others]] as const
    ) {
      yield {
        text: `${what}: ${texts(infos, plane)}`,
        fields: { counters: namedCounts(infos, plane) },
      };
    }
  }
}

function texts(infos: readonly CounterInfo[], counters: Float64Array): string {
  return infos.map(({ index, text }) => `${counters[index] ?? 0} ${text}`)
    .join(", ");
}
