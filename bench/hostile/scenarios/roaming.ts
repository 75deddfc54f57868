/**
 * Real datagrams that come from the address of somebody else.
 *
 * @module
 */

import { STRANGER } from "../../../lab/hostile_lab.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";
import { delay } from "../../../src/net/delay.ts";

const RECORDED = 20;
const PROBES = { count: 20, interval: 20 };

async function replay({ lab, contender }: Bench): Promise<void> {
  const { port, protocol } = contender;
  const to = await lab.station("left", port);
  await lab.flood({
    ...{ kind: "recordings", protocol, from: STRANGER, to },
    ...{ perSecond: 1000, count: RECORDED },
  });
  while (await lab.flooded() < RECORDED) {
    await delay(10);
  }
}

/** @param held Whether the recorded datagrams never reach the left side. */
async function run(
  bench: Bench,
  held: boolean,
  options?: readonly string[],
): Promise<Outcome> {
  const { lab } = bench;
  await bench.open(options);
  const { count, interval } = PROBES;
  const talk = () =>
    bench.traffic.echoes("right", { count: 2 * count, interval });
  if (held) await lab.holdBack(true);
  await lab.record("right", RECORDED, talk);
  await replay(bench);
  await lab.holdBack(false);
  await lab.heard(STRANGER.address);
  const { lost } = await bench.traffic.echoes("left", PROBES);
  const astray = await lab.heard(STRANGER.address);
  await bench.traffic.echoes("right", { count: 1 });
  const after = (await bench.traffic.echoes("left", PROBES)).lost;
  const survived = astray === 0 && lost < 100;
  return { survived, figures: { astray, lost, after } };
}

const cases: readonly Case[] = [
  {
    name: "a recording of what was received",
    run: (bench) => run(bench, false),
  },
  {
    name: "a datagram that was held back",
    run: (bench) => run(bench, true),
  },
  {
    name: "the same, with --no-roaming",
    without: ({ ours }) => !ours,
    run: (bench) => run(bench, true, ["--no-roaming"]),
  },
];

/** Spoofed roaming. */
export const roaming: Scenario = {
  name: "roaming",
  title: "Spoofed roaming",
  text:
    `Somebody on the way sends ${RECORDED} real datagrams again, from their ` +
    "own address, while the peer is silent; then the other end sends " +
    `${PROBES.count} echo requests: datagrams that go to the stranger, and ` +
    "requests lost.",
  figures: [
    { id: "astray", label: "astray" },
    { id: "lost", label: "lost, %" },
    { id: "after", label: "later lost, %" },
  ],
  windows: true,
  cases,
};
