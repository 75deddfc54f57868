import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/**
 * One TCP connection while the veth pair refuses UDP super-packets, so that the
 * kernel cuts them up before the wire: nearer to a real network card.
 */
export const unsegmented: Scenario = {
  name: "no-gso",
  metrics: transferMetrics("no-gso", "TCP, no UDP GSO on veth"),
  async run(bench) {
    await bench.lab.setUdpSegmentation(false);
    try {
      return await transfer(bench, "no-gso");
    } finally {
      await bench.lab.setUdpSegmentation(true);
    }
  },
};
