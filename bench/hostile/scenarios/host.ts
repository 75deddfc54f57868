/**
 * Hosts that lack what a program needs.
 *
 * @module
 */

import { MemoryLimit } from "../../../lab/memory_limit.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";
import { startFlood } from "./floods.ts";
import { delay } from "../../../src/net/delay.ts";

/** How long there is nobody to ask for a name, in ms. */
const NAMELESS_MS = 5000;

/** Calls both hosts by names that are in a file of hosts of its own. */
const BY_NAME = `
mount --bind "$0" /etc/hosts
left=$1 right=$2
shift 2
for word do
  shift
  case $word in
    "$left") set -- "$@" left.test ;;
    "$right") set -- "$@" right.test ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec "$@"
`;

const LIMIT_BYTES = 160 << 20;

/** A tunnel is open when a first packet has passed it. */
async function withoutNames(bench: Bench): Promise<Outcome> {
  const { lab, scratch, traffic } = bench;
  const hosts = scratch.file("hosts");
  await Deno.writeTextFile(hosts, "127.0.0.1 localhost\n");
  const addresses = [lab.left.ipv4, lab.right.ipv4];
  const opening = bench.open([], [
    ...["unshare", "--mount", "sh", "-c", BY_NAME, hosts, ...addresses],
  ]).then(() => undefined, (error: Error) => error);
  await delay(NAMELESS_MS);
  const [left, right] = addresses;
  await Deno.writeTextFile(hosts, `${left} left.test\n${right} right.test\n`);
  const known = performance.now();
  const failure = await opening;
  if (failure !== undefined) {
    const ended = /has ended|Cannot find device/.test(failure.message);
    const note = ended ? "ends" : "does not ask again";
    return { survived: false, figures: {}, note };
  }
  const seconds = (performance.now() - known) / 1000;
  const { rate, intact } = await traffic.copy("right");
  return { survived: intact, figures: { seconds, rate } };
}

/** Both ends share the limit. */
async function withLittleMemory(bench: Bench): Promise<Outcome> {
  const { lab, scratch, traffic } = bench;
  const group = `at-h-${Deno.pid}`;
  const folder = scratch.file("group");
  await Deno.mkdir(folder);
  await using limit = await MemoryLimit.set(group, folder, LIMIT_BYTES);
  await using tunnel = await bench.open([], limit.through);
  const talk = { count: 400, interval: 2, bytes: 1000 };
  await lab.record("right", 200, () => traffic.echoes("right", talk));
  await startFlood(bench, "wrong tag", "a stranger");
  const { rate, intact } = await traffic.copy("right");
  await lab.stopFlood();
  const kills = await limit.kills();
  const note = tunnel.obituary ?? (kills > 0 ? "killed" : undefined);
  return {
    survived: intact && kills === 0,
    figures: { rate },
    ...note !== undefined && { note },
  };
}

const cases: readonly Case[] = [
  {
    name: "nobody knows the peer's name for 5 s",
    // Its daemon knows no names.
    without: ({ protocol }) => protocol !== "satp",
    run: withoutNames,
  },
  {
    name: "160 MiB of memory for both ends, and a flood of wrong tags",
    run: withLittleMemory,
  },
];

/** Names and memory. */
export const host: Scenario = {
  name: "host",
  title: "A poor host",
  text:
    "Seconds from the moment that the name of the peer can be looked up until " +
    "an echo request is answered, and the rate of a copy.",
  figures: [
    { id: "seconds", label: "s" },
    { id: "rate", label: "Mbit/s" },
  ],
  cases,
};
