import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/**
 * One TCP connection, with both daemons on one processor. Where the scheduler
 * puts them makes a factor of two for anytun, and it stays for seconds: these
 * are the slow and the fast one of its two modes, by force.
 */
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
