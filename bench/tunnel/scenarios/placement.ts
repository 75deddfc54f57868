import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/** One TCP connection, with both daemons on one processor. */
export const together: Scenario = {
  name: "placement",
  on: "together",
  metrics: transferMetrics("together", "TCP, daemons on one processor"),
  run: (bench) => transfer(bench, "together"),
};

/** The same with a processor for each daemon. */
export const apart: Scenario = {
  name: "placement",
  on: "apart",
  metrics: transferMetrics("apart", "TCP, a processor for each daemon"),
  run: (bench) => transfer(bench, "apart"),
};
