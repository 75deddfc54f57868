/**
 * Floods of datagrams that are to be refused.
 *
 * @module
 */

import { FLOOD_KINDS, type FloodKind } from "../../../lab/flood.ts";
import { STRANGER } from "../../../lab/hostile_lab.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";

/** Datagrams a second. */
const RATE = 50_000;

/** Datagrams that forgeries and replays are made of. */
const RECORDED = 200;

/** How many echo requests are sent under the flood alone, 10 ms apart. */
const ECHOES = 200;

const MEBI = 2 ** 20;

type Source = "a stranger" | "the peer's address";

/** Sends to the left side at {@link RATE} until it is stopped. */
export async function startFlood(
  { lab, contender }: Bench,
  kind: FloodKind,
  source: Source,
): Promise<void> {
  const { port, protocol } = contender;
  const to = await lab.station("left", port);
  const from = source === "a stranger"
    ? STRANGER
    : { ...await lab.station("right", port), mac: STRANGER.mac };
  await lab.flood({ kind, protocol, from, to, perSecond: RATE });
}

async function run(
  bench: Bench,
  flood?: { readonly kind: FloodKind; readonly source: Source },
): Promise<Outcome> {
  const { lab } = bench;
  const tunnel = await bench.open();
  const talk = { count: 2 * RECORDED, interval: 2, bytes: 1000 };
  await lab.record(
    "right",
    RECORDED,
    () => bench.traffic.echoes("right", talk),
  );
  await bench.traffic.copy("right");
  const resident = (await tunnel.residentBytes()).left;
  if (flood !== undefined) await startFlood(bench, flood.kind, flood.source);
  const before = await tunnel.cpuSeconds();
  const began = performance.now();
  const { lost, median } = await bench.traffic.echoes("right", {
    ...{ count: ECHOES, interval: 10 },
  });
  const cpu = ((await tunnel.cpuSeconds()).left - before.left) /
    (performance.now() - began) * 1000;
  const { rate, intact } = await bench.traffic.copy("right");
  const grown = (await tunnel.residentBytes()).left - resident;
  if (flood !== undefined) await lab.stopFlood();
  return {
    survived: intact && lost < 100,
    figures: { rate, lost, median, cpu, memory: Math.max(0, grown) / MEBI },
  };
}

const SOURCES = ["a stranger", "the peer's address"] as const;

const cases: readonly Case[] = [
  { name: "no flood", run: (bench) => run(bench) },
  ...FLOOD_KINDS.flatMap((kind) =>
    SOURCES.map((source): Case => ({
      name: `${kind}, from ${source}`,
      run: (bench) => run(bench, { kind, source }),
    }))
  ),
];

/** Floods of each kind, from two sources. */
export const floods: Scenario = {
  name: "floods",
  title: "Floods",
  text:
    `${RATE} datagrams a second at the receiver of a copy: the copy's rate, ` +
    "echo requests lost and the median round trip, the receiver's processors " +
    "under the flood without the copy, and what its memory grew by.",
  figures: [
    { id: "rate", label: "Mbit/s" },
    { id: "lost", label: "lost, %" },
    { id: "median", label: "ms" },
    { id: "cpu", label: "processors" },
    { id: "memory", label: "MiB more" },
  ],
  windows: true,
  cases,
};
