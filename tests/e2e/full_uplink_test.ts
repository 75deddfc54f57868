import assert from "node:assert/strict";
import {
  LEFT,
  RIGHT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { labTest } from "../../lab/test_case.ts";
import {
  oursFromSource,
  oursOnWebCrypto,
  oursWithOneWorker,
  oursWithoutOffloads,
  oursWithTwoWorkers,
} from "../../lab/peers.ts";
import { until } from "../../lab/until.ts";

const COUNT_PORT = "7002";

/** Datagrams that come in while the uplink is full, and ms between them. */
const ARRIVALS = 150, INTERVAL = "10";

/**
 * An uplink so slow that it does not give room for one datagram in a test,
 * with a queue that the socket's buffer does not fill.
 */
const SLOW = ["rate", "10kbit", "burst", "16kb", "limit", "20mb"];

/** In which so slow an uplink still gives no room: 15 kB of what is queued. */
const ARRIVAL_MS = 12_000;

/** A quarter of it is more than the kernel's buffer for a socket of Deno. */
const QUEUED_BYTES = 80_000;

const programs = [
  { program: oursWithOneWorker, drops: true },
  { program: oursWithTwoWorkers, drops: true },
  { program: oursWithoutOffloads, drops: true },
  // Waits instead, and loses at the device.
  { program: oursFromSource, drops: false },
  { program: oursOnWebCrypto, drops: false },
];

for (const [index, { program, drops }] of programs.entries()) {
  labTest(
    `${program.name}: a full uplink delays neither what comes in nor the end`,
    `fu-${index}`,
    [program.missing(), missingCommand("tc"), whyNoTbf()],
    async (lab) => {
      const { left, right } = lab;
      const daemon = await program.start(left, waitingLeft);
      await oursWithOneWorker.start(right, speakingRight(lab));
      await right.ping(LEFT);
      await left.exec(
        ...["tc", "qdisc", "add", "dev", "wire", "root", "tbf"] as const,
        ...SLOW,
      );
      await left.script("datagram_flood.ts", "flood", RIGHT).line(
        /^flooding$/,
      );
      await fills(left);
      assert.equal(await arrivals(lab), ARRIVALS);

      Deno.kill(daemon.pid, "SIGUSR2");
      const said = await daemon.line(/connection 0: .* packets out/);
      const [, dropped = ""] = said.match(/(\d+) dropped before a full/) ?? [];
      assert.equal(Number(dropped) > 0, drops, said);

      // A daemon that does not listen is killed, and has no status then.
      const { code, signal } = await daemon.stop();
      assert.deepEqual({ code, signal }, { code: 0, signal: null });
    },
  );
}

/** Waits until the uplink's queue has been full for a moment. */
async function fills(host: LabHost): Promise<void> {
  let before = 0;
  await until("the uplink is full", 20, async () => {
    const now = await queued(host);
    const stands = now === before && now > QUEUED_BYTES;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return stands;
  });
}

async function queued(host: LabHost): Promise<number> {
  const args = ["-s", "-j", "qdisc", "show", "dev", "wire"];
  const [qdisc]: { backlog: number }[] = JSON.parse(
    await host.exec("tc", ...args),
  );
  return qdisc?.backlog ?? 0;
}

/** How many of the datagrams that the right host sends reach the left one. */
async function arrivals({ left, right }: Lab): Promise<number> {
  const counter = left.script("datagram_flood.ts", "count", COUNT_PORT);
  await counter.line(/^counting$/);
  const args = ["number", LEFT, COUNT_PORT, String(ARRIVALS), INTERVAL];
  await right.script("datagram_flood.ts", ...args).line(/^sent$/);
  const end = performance.now() + ARRIVAL_MS;
  for (;;) {
    const seen = counter.lines.length;
    await counter.tell("how many");
    const arrived = Number(await counter.line(/^\d+$/, undefined, seen));
    if (arrived >= ARRIVALS || performance.now() >= end) return arrived;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Kernels without the queue that limits a rate say so when asked for one. */
function whyNoTbf(): string | null {
  if (whyNoLab() !== null || missingCommand("tc") !== null) return null;
  const device = `at-tbf-${Deno.pid % 100_000}`;
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stderr: "null" }).outputSync().success;
  run("ip", "link", "add", device, "type", "veth");
  const tbf = ["qdisc", "add", "dev", device, "root", "tbf"];
  const there = run("tc", ...tbf, ...SLOW);
  run("ip", "link", "delete", device);
  return there ? null : "the kernel has no tbf";
}
