import { iperf } from "../../../lab/iperf.ts";
import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/**
 * What no work on cryptography can exceed, and what no work on the tunnel can:
 * one TCP connection through a tunnel with null cipher and null authentication,
 * and one between the same hosts without a tunnel.
 */
export const ceilings: Scenario = {
  name: "ceilings",
  on: "bare",
  metrics: [
    ...transferMetrics("ceilings.null", "TCP, null cipher and tag"),
    {
      id: "ceilings.wire.gbps",
      label: "TCP, no tunnel",
      unit: "Gbit/s",
      better: "higher",
    },
  ],
  async run(bench) {
    const { lab, seconds } = bench;
    const through = await transfer(bench, "ceilings.null");
    const { bitsPerSecond } = await iperf(lab.left, lab.right, {
      address: lab.right.ipv4,
      seconds,
    });
    return { ...through, "ceilings.wire.gbps": bitsPerSecond / 1e9 };
  },
};
