import { iperf } from "../../../lab/iperf.ts";
import { roundTrips } from "../../../lab/round_trips.ts";
import type { Scenario } from "../scenario.ts";
import { mean, quantile } from "../statistics.ts";
import { INNER4 } from "../tunnel.ts";
import { delay } from "../../../src/net/delay.ts";

const COUNT = 200;
const INTERVAL_MS = 10;

/** Seconds of load: the pings and a moment before and after them. */
const LOAD_SECONDS = 3;

/** Milliseconds that TCP gets to reach its pace. */
const LEAD_MS = 500;

/** Round-trip time while one TCP connection fills the tunnel. */
export const loadedPing: Scenario = {
  name: "ping-load",
  metrics: [
    {
      id: "ping-load.avg",
      label: "ping, loaded",
      unit: "ms",
      better: "lower",
    },
    {
      id: "ping-load.p99",
      label: "ping, loaded, p99",
      unit: "ms",
      better: "lower",
    },
  ],
  async run({ lab }) {
    const lead = delay(LEAD_MS);
    const [pinged, loaded] = await Promise.allSettled([
      lead.then(() => roundTrips(lab.left, INNER4.right, COUNT, INTERVAL_MS)),
      iperf(lab.left, lab.right, {
        address: INNER4.right,
        seconds: LOAD_SECONDS,
      }),
    ]);
    if (pinged.status === "rejected") throw pinged.reason;
    if (loaded.status === "rejected") throw loaded.reason;
    const times = pinged.value;
    return {
      "ping-load.avg": mean(times),
      "ping-load.p99": quantile(times, 0.99),
      "ping-load.lost": COUNT - times.length,
    };
  },
};
