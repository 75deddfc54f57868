/**
 * An end that is killed and started again.
 *
 * @module
 */

import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";

async function run(
  bench: Bench,
  options?: (bench: Bench) => readonly string[],
): Promise<Outcome> {
  const tunnel = await bench.open(options?.(bench));
  // So that what comes after the restart counts below what came before.
  await bench.traffic.copy("right");
  const seconds = await tunnel.restart("right").catch(() => undefined);
  if (seconds === undefined) {
    return { survived: false, figures: {}, note: "nothing within 15 s" };
  }
  return { survived: true, figures: { seconds } };
}

const FIXED = ["--sender-id", "7"];

const cases: readonly Case[] = [
  { name: "as it comes", run: (bench) => run(bench) },
  {
    name: "with a fixed sender id",
    without: ({ protocol }) => protocol !== "satp",
    run: (bench) => run(bench, () => FIXED),
  },
  {
    name: "with a fixed sender id and a state folder",
    without: ({ ours }) => !ours,
    run: (bench) =>
      run(bench, ({ scratch }) => [...FIXED, "--state-dir", scratch.path]),
  },
];

/** Kill -9 and start again. */
export const restart: Scenario = {
  name: "restart",
  title: "kill -9 and start again",
  text:
    "One end is killed after a copy and started again at once: seconds from " +
    "the kill until its first echo request is answered.",
  figures: [{ id: "seconds", label: "s" }],
  windows: true,
  cases,
};
