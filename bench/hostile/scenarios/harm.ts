/**
 * A cable that harms what it carries.
 *
 * @module
 */

import type { Harm } from "../../../lab/scripts/cable.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";

async function run(
  { lab, open, traffic }: Bench,
  harm: Harm,
): Promise<Outcome> {
  await lab.harm(harm);
  await open();
  const { lost } = await traffic.echoes("right");
  const { rate, intact } = await traffic.copy("right");
  return { survived: intact, figures: { rate, lost } };
}

const SHARES = [0.01, 0.05, 0.2];

/** A case for each share of something. */
function shares(
  what: string,
  harmOf: (share: number) => Harm,
): readonly Case[] {
  return SHARES.map((share) => ({
    name: `${what} of ${100 * share} %`,
    run: (bench) => run(bench, harmOf(share)),
  }));
}

const cases: readonly Case[] = [
  { name: "no harm", run: (bench) => run(bench, {}) },
  ...shares("loss", (loss) => ({ loss })),
  ...shares("duplication", (duplication) => ({ duplication })),
  ...shares("reordering", (reordering) => ({ reordering })),
  ...shares("corruption", (corruption) => ({ corruption })),
  {
    name: "delay of 50 ms ± 20 ms",
    run: (bench) => run(bench, { delayMs: 50, jitterMs: 20 }),
  },
];

/** Loss, duplication, reordering, corruption and delay. */
export const harm: Scenario = {
  name: "harm",
  title: "A bad cable",
  text:
    "A copy over a cable that harms what the sender sends; corruption is one " +
    "wrong bit that the checksum of UDP does not show. The rate of the copy, " +
    "which has to arrive whole, and echo requests lost. The cable is a " +
    "script: the first line is what it carries at best.",
  figures: [
    { id: "rate", label: "Mbit/s" },
    { id: "lost", label: "lost, %" },
  ],
  windows: true,
  cases,
};
