import { iperf } from "../../../lab/iperf.ts";
import type { Scenario } from "../scenario.ts";
import { INNER4 } from "../tunnel.ts";

const MEBIBYTE = 2 ** 20;

/** What each daemon has resident (VmRSS) after a second of load. */
export const memory: Scenario = {
  name: "memory",
  metrics: [
    {
      id: "memory.left",
      label: "memory, sender",
      unit: "MiB",
      better: "lower",
    },
    {
      id: "memory.right",
      label: "memory, receiver",
      unit: "MiB",
      better: "lower",
    },
  ],
  async run({ lab, tunnel }) {
    await iperf(lab.left, lab.right, { address: INNER4.right, seconds: 1 });
    const { left, right } = await tunnel.residentBytes();
    return {
      "memory.left": left / MEBIBYTE,
      "memory.right": right / MEBIBYTE,
    };
  },
};
