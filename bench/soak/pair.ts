/**
 * Two daemons with one tunnel between them, one of which roams. Both have a copy
 * of a key chain whose epochs are as short as they may be.
 *
 * @module
 */

import { epochIn, placeChain } from "../../lab/chains.ts";
import { iperf } from "../../lab/iperf.ts";
import { type Lab, WIRE } from "../../lab/lab.ts";
import { sendRuns, serve } from "../../lab/measure.ts";
import { missingCommand } from "../../lab/missing.ts";
import type { PeerProgram } from "../../lab/peers.ts";
import { type LabProcess, PATIENCE_SECONDS } from "../../lab/process.ts";
import { checkedCopy, type Event, rotate, type SoakTunnel } from "./tunnel.ts";

const LEFT = "10.99.0.1";
const RIGHT = "10.99.0.2";
const PORT = 4444;

/** How long a kind of traffic lasts. */
const SECONDS = 8;

const COPY_BYTES = 200e6;
const RUNS = 500;
const DATAGRAM_BYTES = 700;

/** The addresses that the right host has, one after the other. */
const ADDRESSES = ["192.0.2.2", "192.0.2.102", "192.0.2.103"];

/**
 * Starts both daemons.
 *
 * @param fileOf The path of a file for a name
 */
export async function startPair(
  lab: Lab,
  program: PeerProgram,
  fileOf: (name: string) => string,
): Promise<SoakTunnel> {
  const logs = { left: fileOf("left.log"), right: fileOf("right.log") };
  const chains = {
    left: fileOf("left/chain"),
    right: fileOf("right/chain"),
  };
  placeChain(Object.values(chains), Date.now());
  const options = (side: "left" | "right") => [
    ...["--key-chain", chains[side], "-w", "1024"],
    ...["--state-dir", fileOf(`${side}-state`)],
    ...["-L", `file:4,${logs[side]}`],
  ];
  const type = "tun";
  const left = await program.start(lab.left, {
    ...{ role: "left", type, port: PORT, addresses: [`${LEFT}/24`] },
    options: options("left"),
  });
  const right = await program.start(lab.right, {
    ...{ role: "right", type, port: PORT, addresses: [`${RIGHT}/24`] },
    remote: { host: lab.left.ipv4, port: PORT },
    options: options("right"),
  });
  for (const address of ADDRESSES.slice(1)) {
    await lab.right.address(WIRE, `${address}/24`);
  }
  await lab.right.ping(LEFT);
  await serve(lab.left);
  const echo = { from: lab.right, to: LEFT };
  return {
    daemons: { left, right },
    echo,
    traffic: trafficOf(lab, echo),
    events: eventsOf(lab, { left, right }, logs),
    epoch: () => Math.min(...Object.values(chains).map(epochIn)),
  };
}

function trafficOf(lab: Lab, echo: SoakTunnel["echo"]): Event[] {
  const { left, right } = lab;
  const transfer = (what: string, reverse: boolean, flows: number): Event => ({
    what,
    async act() {
      await iperf(right, left, {
        ...{ address: LEFT, seconds: SECONDS, reverse, flows },
      });
    },
  });
  const transfers = missingCommand("iperf3") === null
    ? [
      transfer("TCP", false, 1),
      transfer("TCP from the other side, in four flows", true, 4),
    ]
    : [];
  return [
    ...transfers,
    {
      what: "UDP in runs",
      async act() {
        await sendRuns(right, left, LEFT, DATAGRAM_BYTES, RUNS);
      },
    },
    checkedCopy("a copy with a checksum", echo, COPY_BYTES, SECONDS),
  ];
}

function eventsOf(
  lab: Lab,
  { left, right }: { readonly left: LabProcess; readonly right: LabProcess },
  logs: { readonly left: string; readonly right: string },
): Event[] {
  let moves = 0;
  return [
    {
      what: "both reload",
      act() {
        for (const { pid } of [left, right]) Deno.kill(pid, "SIGHUP");
        return Promise.resolve();
      },
    },
    {
      what: "right roams",
      async act() {
        const address = ADDRESSES[++moves % ADDRESSES.length] ?? "";
        const route = ["192.0.2.0/24", "dev", WIRE, "src", address];
        const before = left.lines.length;
        await lab.right.ip("route", "replace", ...route);
        // There is traffic at any time.
        const followed = new RegExp(`autodetected.*${address}\\b`);
        await left.line(followed, PATIENCE_SECONDS, before);
      },
    },
    {
      what: "logs are begun anew",
      async act() {
        await rotate(left, logs.left);
        await rotate(right, logs.right);
      },
    },
    {
      what: "both report",
      act() {
        for (const { pid } of [left, right]) Deno.kill(pid, "SIGUSR2");
        return Promise.resolve();
      },
    },
  ];
}
