// Counters as log lines.
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import {
  CONNECTION_COUNTER_INFOS,
  type CounterInfo,
  PLANE_COUNTER_INFOS,
} from "../tunnel/counters.ts";

/**
 * A line for each connection, by ascending mux, and one for what belongs to
 * none.
 * @param plane The counters of the plane, once there is one
 */
export function* counterLines(
  table: Pick<ConnectionTable, "liveMuxes" | "counted">,
  plane: Float64Array | undefined,
): Generator<string> {
  for (const mux of table.liveMuxes()) {
    const counters = texts(CONNECTION_COUNTER_INFOS, table.counted(mux));
    yield `connection ${mux}: ${counters}`;
  }
  if (plane !== undefined) {
    const drops = PLANE_COUNTER_INFOS.filter(({ isLoss }) => isLoss);
    const others = PLANE_COUNTER_INFOS.filter(({ isLoss }) => !isLoss);
    yield `dropped: ${texts(drops, plane)}`;
    yield `besides: ${texts(others, plane)}`;
  }
}

function texts(infos: readonly CounterInfo[], counters: Float64Array): string {
  return infos.map(({ index, text }) => `${counters[index] ?? 0} ${text}`)
    .join(", ");
}
