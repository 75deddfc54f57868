/**
 * Clients and servers of the sync that misbehave.
 *
 * @module
 */

import { fromSource } from "../../../lab/programs.ts";
import { INNER4_BITS } from "../../tunnel/tunnel.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";
import { delay } from "../../../src/net/delay.ts";

const PORT = "2323";

/** Connections a second, for so many seconds. */
const RATE = "200";
const FLOOD_SECONDS = 5;

const MEBI = 2 ** 20;

/** It answers anybody, as the original does. */
const SERVES = ["-S", PORT, "-I", "0.0.0.0"];

/** More than a client that does not read can be sent. */
const ROUTES = 4000;

function routes(): string {
  return Array.from(
    { length: ROUTES },
    (_, k) => `10.${k >> 8}.${k & 255}.0/24`,
  ).join();
}

/** How long an honest client from elsewhere takes to get its tables. */
async function ask({ lab }: Bench): Promise<number | undefined> {
  const at = ["showtables", "--connect", `${lab.left.ipv4}:${PORT}`];
  const began = performance.now();
  const { code, stdout } = await lab.middle.outcome([
    ...fromSource.command,
    ...at,
  ]);
  if (code !== 0 || stdout === "") return undefined;
  return (performance.now() - began) / 1000;
}

async function misuse(
  bench: Bench,
  beginning: "nothing" | "garbage" | "deaf",
  options: readonly string[] = [],
): Promise<Outcome> {
  const { lab, traffic } = bench;
  const tunnel = await bench.open([...SERVES, ...options]);
  const before = (await tunnel.residentBytes()).left;
  const args = [lab.left.ipv4, PORT, RATE, beginning];
  lab.right.script("connection_flood.ts", ...args);
  await delay(FLOOD_SECONDS * 1000);
  const { lost } = await traffic.echoes("right");
  const seconds = await ask(bench).catch(() => undefined);
  const memory = ((await tunnel.residentBytes()).left - before) / MEBI;
  const figures = { lost, memory: Math.max(0, memory) };
  return {
    survived: lost < 100 && seconds !== undefined,
    figures: { ...figures, ...seconds !== undefined && { seconds } },
  };
}

/** @param text What a server says before it falls silent */
async function mislead(bench: Bench, text: string): Promise<Outcome> {
  const { lab, traffic } = bench;
  const args = ["serve", lab.right.ipv4, PORT, text];
  const server = lab.right.script("stranger.ts", ...args);
  await server.line(/^listening/);
  // With a sync there are routes, also of what is known without it.
  const route = ["-R", `198.51.100.0/${INNER4_BITS}`];
  const from = ["-M", `${lab.right.ipv4}:${PORT}`];
  const tunnel = await bench.open([...from, ...route]);
  await server.line(/^somebody has come/);
  const before = (await tunnel.residentBytes()).left;
  await delay(FLOOD_SECONDS * 1000);
  const { lost } = await traffic.echoes("right");
  const memory = ((await tunnel.residentBytes()).left - before) / MEBI;
  const figures = { lost, memory: Math.max(0, memory) };
  return { survived: lost < 100, figures };
}

/** Sync section 4: a length of five digits, and less than that. */
const HALF_RECORD = "00100 22 serialization::archive";

const talkers: readonly Case[] = [
  {
    name: `${RATE} clients a second that say nothing`,
    run: (bench) => misuse(bench, "nothing"),
  },
  {
    name: `${RATE} clients a second that send random bytes`,
    run: (bench) => misuse(bench, "garbage"),
  },
  {
    name: `${RATE} clients a second that read nothing of ${ROUTES} routes`,
    // anytun carries nothing any more with so many (15 s were waited for).
    without: ({ id }) => id === "anytun",
    run: (bench) => misuse(bench, "deaf", ["-R", routes()]),
  },
  {
    name: "a server that sends what is no record",
    run: (bench) => mislead(bench, "x".repeat(100_000)),
  },
  {
    name: "a server that sends half a record",
    run: (bench) => mislead(bench, HALF_RECORD),
  },
];

const cases = talkers.map((one): Case => ({
  ...one,
  // The others have no sync.
  without: (contender) =>
    !["source", "anytun"].includes(contender.id) ||
    one.without?.(contender) === true,
}));

/** Who talks to a member of a cluster without being one. */
export const sync: Scenario = {
  name: "sync",
  title: "Sync clients and servers that misbehave",
  text:
    `Clients come for ${FLOOD_SECONDS} s and stay; echo requests lost through ` +
    "the tunnel meanwhile, MiB that the memory grew by, and the seconds until " +
    "an honest client from another address has its tables.",
  figures: [
    { id: "lost", label: "lost, %" },
    { id: "memory", label: "MiB more" },
    { id: "seconds", label: "s" },
  ],
  cases,
};
