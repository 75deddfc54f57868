import type { Scenario } from "../scenario.ts";

/** How long it took from starting both daemons to the first echo. */
export const start: Scenario = {
  name: "start",
  metrics: [
    { id: "start", label: "start to first packet", unit: "s", better: "lower" },
  ],
  run: ({ tunnel }) => Promise.resolve({ start: tunnel.startSeconds }),
};
