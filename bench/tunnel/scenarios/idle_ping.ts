import { roundTrips } from "../../../lab/round_trips.ts";
import type { Scenario } from "../scenario.ts";
import { mean, quantile } from "../statistics.ts";
import { INNER4 } from "../tunnel.ts";

/** Enough for a 99th percentile that is not just the worst one. */
const COUNT = 1000;
const INTERVAL_MS = 4;

/** Round-trip time while the tunnel carries nothing else. */
export const idlePing: Scenario = {
  name: "ping",
  metrics: [
    { id: "ping.avg", label: "ping, idle", unit: "ms", better: "lower" },
    {
      id: "ping.p99",
      label: "ping, idle, p99",
      unit: "ms",
      better: "lower",
    },
  ],
  async run({ lab }) {
    const times = await roundTrips(lab.left, INNER4.right, COUNT, INTERVAL_MS);
    return {
      "ping.avg": mean(times),
      "ping.p99": quantile(times, 0.99),
      "ping.min": quantile(times, 1 / times.length),
      "ping.lost": COUNT - times.length,
    };
  },
};
