/**
 * Logs that cannot be written.
 *
 * @module
 */

import type { Contender } from "../contender.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";
import { delay } from "../../../src/net/delay.ts";

/** How long an end may take, in seconds. */
const PATIENCE = 10;

/** Has a log that its options lead elsewhere. */
const isSatp = ({ protocol }: Contender) => protocol === "satp";

/** Its standard output is a FIFO that is open for reading, and never read. */
const UNREAD = 'exec 3<>"$0" && exec "$@" >&3';

/** Its standard output is a pipe whose reader leaves after the first byte. */
const LEFT_ALONE = 'head -c1 "$0" >/dev/null & exec "$@" >"$0"';

async function carry(
  { open, traffic }: Bench,
  options?: readonly string[],
  through?: readonly string[],
): Promise<Outcome> {
  await open(options, through);
  const { lost } = await traffic.echoes("right");
  const { rate, intact } = await traffic.copy("right");
  return { survived: intact && lost < 100, figures: { rate } };
}

async function loseReader(bench: Bench): Promise<Outcome> {
  // One FIFO for both ends: each has a reader of its own when it starts.
  const fifo = bench.scratch.file("log");
  await bench.lab.left.exec("mkfifo", fifo);
  try {
    return await carry(bench, [], ["sh", "-c", LEFT_ALONE, fifo]);
  } catch (error) {
    // Who minds ends while the tunnel is set up.
    const ended = /has ended|Cannot find device/.test(`${error}`);
    if (ended) return { survived: false, figures: {}, note: "ends" };
    throw error;
  }
}

async function endUnread(bench: Bench): Promise<Outcome> {
  const { lab, scratch, traffic } = bench;
  const fifo = scratch.file("log");
  await lab.left.exec("mkfifo", fifo);
  const tunnel = await bench.open([], ["sh", "-c", UNREAD, fifo]);
  // Until it takes no more.
  const fill = `dd if=/dev/zero of="$0" oflag=nonblock bs=4096 count=64`;
  await lab.left.exec("sh", "-c", `${fill} 2>/dev/null || true`, fifo);
  const { lost } = await traffic.echoes("right");
  const daemon = tunnel.daemon("left");
  const began = performance.now();
  Deno.kill(daemon.pid, "SIGTERM");
  const late = delay(PATIENCE * 1000);
  await Promise.race([daemon.ended, late]);
  if (!daemon.hasEnded) {
    Deno.kill(daemon.pid, "SIGKILL");
    return { survived: false, figures: {}, note: `not within ${PATIENCE} s` };
  }
  const seconds = (performance.now() - began) / 1000;
  return { survived: lost < 100, figures: { seconds } };
}

const cases: readonly Case[] = [
  {
    name: "the disk of the log is full",
    without: (contender) => !isSatp(contender),
    run: (bench) => carry(bench, ["--log", "file:5,/dev/full"]),
  },
  { name: "the reader of the log is gone", run: loseReader },
  { name: "nobody reads the log, and SIGTERM", run: endUnread },
];

/** Full disks and pipes. */
export const log: Scenario = {
  name: "log",
  title: "A log that cannot be written",
  text: "The rate of a copy, and the seconds that an end takes.",
  figures: [
    { id: "rate", label: "Mbit/s" },
    { id: "seconds", label: "s" },
  ],
  cases,
};
