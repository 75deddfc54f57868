import { type Lab, WIRE } from "../../../lab/lab.ts";
import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/** Says whether the cable takes UDP super-packets whole. */
async function setUdpSegmentation(
  { left, right }: Lab,
  state: "on" | "off",
): Promise<void> {
  for (const host of [left, right]) {
    await host.exec("ethtool", "-K", WIRE, "tx-udp-segmentation", state);
  }
}

/**
 * One TCP connection while the veth pair refuses UDP super-packets, so that the
 * kernel cuts them up before the wire: nearer to a real network card.
 */
export const unsegmented: Scenario = {
  name: "no-gso",
  metrics: transferMetrics("no-gso", "TCP, no UDP GSO on veth"),
  async run(bench) {
    await setUdpSegmentation(bench.lab, "off");
    try {
      return await transfer(bench, "no-gso");
    } finally {
      await setUdpSegmentation(bench.lab, "on");
    }
  },
};
