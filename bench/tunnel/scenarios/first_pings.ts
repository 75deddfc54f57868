import { roundTrips } from "../../../lab/round_trips.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { quantile } from "../statistics.ts";
import { INNER4 } from "../tunnel.ts";

const COUNT = 1000;
const INTERVAL_MS = 4;

/** In the table; those that are slow only now and then stay in the JSON file. */
const P95: Metric = {
  id: "first.p95",
  label: "first 1000 pings, p95",
  unit: "ms",
  better: "lower",
};

/** Round-trip time right after the start, as long as code is being compiled. */
export const firstPings: Scenario = {
  name: "first-pings",
  metrics: [P95],
  async run({ lab }) {
    const times = await roundTrips(lab.left, INNER4.right, COUNT, INTERVAL_MS);
    return {
      "first.p50": quantile(times, 0.5),
      "first.p95": quantile(times, 0.95),
      "first.p99": quantile(times, 0.99),
      "first.lost": COUNT - times.length,
    };
  },
};
