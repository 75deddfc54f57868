import type { Scenario } from "../scenario.ts";
import { transfer, transferMetrics } from "../transfer.ts";

/**
 * One TCP connection, where the left daemon has learnt 1000 other connections
 * and 10000 other routes from a control daemon.
 */
export const scale: Scenario = {
  name: "scale",
  on: "crowd",
  metrics: [
    ...transferMetrics("scale.forward", "TCP, 1000 connections"),
    ...transferMetrics("scale.reverse", "TCP, 1000 connections, reverse"),
  ],
  async run(bench) {
    return {
      ...await transfer(bench, "scale.forward"),
      ...await transfer(bench, "scale.reverse", { reverse: true }),
    };
  },
};
