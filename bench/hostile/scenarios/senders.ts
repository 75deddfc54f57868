/**
 * A peer that has the key, and uses all sender ids.
 *
 * @module
 */

import { MUX, PASSPHRASE } from "../../tunnel/subjects/satp_open.ts";
import type { Bench, Outcome, Scenario } from "../scenario.ts";

const MEBI = 2 ** 20;

/** How long the sender may take, in seconds. */
const PATIENCE = 120;

async function run({ lab, contender, open, traffic }: Bench): Promise<Outcome> {
  const tunnel = await open();
  await traffic.copy("right", 1);
  const before = (await tunnel.residentBytes()).left;
  const args = [lab.left.ipv4, contender.port, MUX, PASSPHRASE].map(String);
  const sender = lab.right.script("sender_ids.ts", ...args);
  await sender.line(/^sent/, PATIENCE);
  const memory = ((await tunnel.residentBytes()).left - before) / MEBI;
  const { lost } = await traffic.echoes("right");
  const { rate, intact } = await traffic.copy("right");
  return {
    survived: intact && lost < 100,
    figures: { memory: Math.max(0, memory), lost, rate },
  };
}

/** All 65 536 sender ids. */
export const senders: Scenario = {
  name: "senders",
  title: "65 536 sender ids",
  text:
    "A peer that has the key uses each sender id once: MiB that the receiver's " +
    "memory grew by, and echo requests lost and the rate of a copy after it.",
  figures: [
    { id: "memory", label: "MiB more" },
    { id: "lost", label: "lost, %" },
    { id: "rate", label: "Mbit/s" },
  ],
  windows: true,
  cases: [{
    name: "each of them once",
    without: ({ protocol }) => protocol !== "satp",
    run,
  }],
};
