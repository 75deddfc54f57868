import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/** Eight TCP connections at a time. */
export const flows: Scenario = {
  name: "flows",
  metrics: transferMetrics("flows", "TCP, 8 flows"),
  run: (bench) => transfer(bench, "flows", { flows: 8 }),
};
