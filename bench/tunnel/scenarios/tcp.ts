import type { Scenario } from "../scenario.ts";
import { coresMetric, transfer, transferMetrics } from "../transfer.ts";

/** One TCP connection, left to right and then right to left. */
export const tcp: Scenario = {
  name: "tcp",
  pairs: true,
  metrics: [
    ...transferMetrics("tcp.forward", "TCP"),
    coresMetric("tcp.forward", "TCP"),
    ...transferMetrics("tcp.reverse", "TCP, reverse"),
  ],
  async run(bench) {
    return {
      ...await transfer(bench, "tcp.forward"),
      ...await transfer(bench, "tcp.reverse", { reverse: true }),
    };
  },
};
