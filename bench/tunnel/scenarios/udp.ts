import { iperf } from "../../../lab/iperf.ts";
import type { Metric, Scenario } from "../scenario.ts";
import { INNER4 } from "../tunnel.ts";

/** Payload bytes: nearly what the MTU holds, and a small one. */
const SIZES = [1300, 64];

function metric(size: number): Metric {
  const label = `UDP flood, ${size} B`;
  return { id: `udp${size}.kpps`, label, unit: "kpps", better: "higher" };
}

/** Datagrams that come out when far more go in than any tunnel carries. */
export const udp: Scenario = {
  name: "udp",
  metrics: SIZES.map(metric),
  async run({ lab, seconds }) {
    const readings: Record<string, number> = {};
    for (const size of SIZES) {
      const { bytes, sendSeconds } = await iperf(lab.left, lab.right, {
        address: INNER4.right,
        seconds,
        datagramBytes: size,
      });
      // iperf3's own rate counts until its control connection, which the flood
      // delays, has told the receiver to stop.
      readings[`udp${size}.kpps`] = bytes / size / sendSeconds / 1000;
    }
    return readings;
  },
};
