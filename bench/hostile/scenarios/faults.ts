/**
 * Faults of the host and of the network around it.
 *
 * @module
 */

import { WIRE } from "../../../lab/lab.ts";
import { DEVICE, type Tunnel } from "../../tunnel/tunnel.ts";
import type { Bench, Case, Outcome, Scenario } from "../scenario.ts";
import { delay } from "../../../src/net/delay.ts";

/** Another cable between both hosts, with addresses of its own (RFC 2544). */
const OTHER_CABLE = {
  device: "other",
  left: "198.18.0.1",
  right: "198.18.0.2",
};

const NEW_ADDRESS = "192.0.2.102";
/** Copies, has something happen, and looks how soon traffic flows again. */
async function recover(
  bench: Bench,
  happen: (tunnel: Tunnel) => Promise<unknown>,
): Promise<Outcome> {
  const tunnel = await bench.open();
  await bench.traffic.copy("right", 1);
  await happen(tunnel);
  const seconds = await bench.traffic.untilAnswered("right");
  const { rate, intact } = await bench.traffic.copy("right");
  const figures = { rate, ...seconds !== undefined && { seconds } };
  return { survived: intact && seconds !== undefined, figures };
}

async function takeLinkDown({ lab, pauseSeconds }: Bench): Promise<void> {
  await lab.middle.ip("link", "set", "right", "down");
  await delay(pauseSeconds * 500);
  await lab.middle.ip("link", "set", "right", "up");
}

async function changeAddress({ lab }: Bench): Promise<void> {
  const { right } = lab;
  await right.address(WIRE, `${NEW_ADDRESS}/24`);
  // The other one is secondary, and would go with it.
  await right.exec("sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=1");
  await right.ip("addr", "del", `${right.ipv4}/24`, "dev", WIRE);
}

async function changeRoute({ lab }: Bench): Promise<void> {
  const { left, right } = lab;
  const { device } = OTHER_CABLE;
  await right.join(device, left, device);
  await left.address(device, `${OTHER_CABLE.left}/24`);
  await right.address(device, `${OTHER_CABLE.right}/24`);
  const via = [left.ipv4, "via", OTHER_CABLE.left];
  await right.ip("route", "add", ...via);
  await lab.middle.ip("link", "set", "right", "down");
}

async function stopProgram(
  { pauseSeconds }: Bench,
  tunnel: Tunnel,
): Promise<void> {
  const { pid } = tunnel.daemon("left");
  Deno.kill(pid, "SIGSTOP");
  await delay(pauseSeconds * 1000);
  Deno.kill(pid, "SIGCONT");
}

/** Whoever has no device any more has to end and say so. */
async function deleteDevice({ lab, open }: Bench): Promise<Outcome> {
  const tunnel = await open();
  const daemon = tunnel.daemon("left");
  const before = (await tunnel.cpuSeconds()).left;
  await lab.left.ip("link", "delete", DEVICE.left);
  await Promise.race([daemon.ended, delay(3000)]);
  if (daemon.hasEnded) {
    const { code, signal } = await daemon.ended;
    const note = `ends with ${signal ?? `status ${code}`}`;
    return { survived: true, figures: {}, note };
  }
  const processors = ((await tunnel.cpuSeconds()).left - before) / 3;
  const note = `goes on, ${processors.toFixed(2)} processors`;
  return { survived: false, figures: {}, note };
}

/** A queue that holds next to nothing, and takes less than there is. */
async function fillUplink({ lab, open, traffic }: Bench): Promise<Outcome> {
  await open();
  const tbf = ["tbf", "rate", "20mbit", "burst", "5000", "limit", "10000"];
  const at = ["qdisc", "add", "dev", WIRE, "root"];
  await lab.right.exec("tc", ...at, ...tbf);
  const { rate, intact } = await traffic.copy("right");
  return { survived: intact, figures: { rate } };
}

const cases: readonly Case[] = [
  {
    name: "the link is down for half the pause",
    run: (bench) => recover(bench, () => takeLinkDown(bench)),
  },
  {
    name: "the address changes",
    run: (bench) => recover(bench, () => changeAddress(bench)),
  },
  {
    name: "the route changes, and the source address with it",
    run: (bench) => recover(bench, () => changeRoute(bench)),
  },
  {
    name: "the program is stopped for the pause (SIGSTOP)",
    run: (bench) => recover(bench, (tunnel) => stopProgram(bench, tunnel)),
  },
  { name: "the uplink is full: 20 Mbit/s, 10 kB of queue", run: fillUplink },
  { name: "the device is deleted", run: deleteDevice },
];

/** Link, address, route, device, and a program that does not run. */
export const faults: Scenario = {
  name: "faults",
  title: "Faults around it",
  text:
    "Seconds from the end of the fault until an echo request is answered, " +
    "and the rate of a copy after it.",
  figures: [
    { id: "seconds", label: "s" },
    { id: "rate", label: "Mbit/s" },
  ],
  cases,
};
