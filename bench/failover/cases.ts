/**
 * What befalls a server that has the client's traffic.
 *
 * @module
 */
import type { BgpLab } from "../../lab/bgp_lab.ts";
import { type Cut, HOME } from "../../lab/bgp_network.ts";
import { iperf } from "../../lab/iperf.ts";
import { EndlessCopy } from "../../lab/measure.ts";
import { until } from "../../lab/until.ts";
import type { Fleet } from "./fleets.ts";
import type { Titled } from "./report.ts";
import { delay } from "../../src/net/delay.ts";

/** How long somebody watches whether the network finds another way. */
const WATCH_SECONDS = 10;

/** For a member that hears nothing: after 10 s it believes it, and after 3 more. */
const SYNC_WATCH_SECONDS = 25;

/** For what was started to be in step, and for routers to settle. */
const SETTLE_MS = 1500;

/** Bits per second of the transfers: full uplinks lose of themselves. */
const PACE = 20_000_000;

/** Where it happens. */
export interface Scene {
  readonly lab: BgpLab;
  readonly fleet: Fleet;
  /** The server that has the traffic of the client. */
  readonly victim: number;
}

export interface Case extends Titled {
  /** How often it is done; without it as often as is asked for. */
  readonly rounds?: number;
  /** Comes before it is measured. */
  prepare?(scene: Scene): Promise<void>;
  /**
   * Happens while it is measured.
   *
   * @returns What was seen.
   */
  happens(scene: Scene): Promise<readonly string[]>;
  /** Makes everything as it was. */
  repair(scene: Scene): Promise<void>;
}

/** A case that is over when the router does not choose the victim any more. */
function failover(
  id: string,
  title: string,
  happens: (scene: Scene) => Promise<unknown>,
  repair: (scene: Scene) => Promise<void>,
): Case {
  return {
    ...{ id, title, repair },
    async happens(scene) {
      await happens(scene);
      await left(scene);
      return [];
    },
  };
}

/** Waits until the router has chosen others, or nobody waits any longer. */
async function left(
  { lab, victim }: Pick<Scene, "lab" | "victim">,
  seconds = WATCH_SECONDS,
): Promise<boolean> {
  const isLeft = async () => !(await lab.network.chosen()).includes(victim);
  return await until("it has left", seconds, isLeft)
    .then(() => true, () => false);
}

async function startAgain(scene: Scene): Promise<void> {
  await scene.fleet.start(scene.lab, scene.victim);
  await back(scene);
}

/** Waits until the server announces itself and routers have settled. */
export async function back({ lab, victim }: Scene): Promise<void> {
  await until(
    `server ${victim} is announced`,
    60,
    async () => (await lab.network.announced()).includes(victim),
  );
  await delay(SETTLE_MS);
}

/** A case of a cable that is cut like this. */
function cable(id: Cut, title: string): Case {
  return failover(
    id,
    title,
    ({ lab, victim }) => lab.network.cut(victim, id),
    async (scene) => {
      await scene.lab.network.heal(scene.victim, id);
      await back(scene);
    },
  );
}

async function rollingRestart(scene: Scene): Promise<readonly string[]> {
  const { lab, fleet } = scene;
  await using copying = EndlessCopy.start(lab.client, HOME, PACE / 8);
  const options = { address: HOME, seconds: 20, bitrate: PACE };
  const transferring = iperf(lab.client, lab.home, options);
  for (const victim of [1, 2, 3]) {
    await lab.daemon(victim).stop();
    await startAgain({ lab, fleet, victim });
  }
  const { bitsPerSecond } = await transferring;
  const { intact } = await copying.end();
  return [
    `iperf3 ${Math.round(bitsPerSecond / 1e6)} of ${PACE / 1e6} Mbit/s`,
    `copy ${intact ? "whole" : "BROKEN"}`,
  ];
}

export const CASES: readonly Case[] = [
  failover(
    "stop",
    "drained and stopped (SIGTERM)",
    ({ lab, victim }) => lab.daemon(victim).stop(),
    startAgain,
  ),
  failover(
    "kill",
    "killed (`kill -9`)",
    ({ lab, victim }) => lab.daemon(victim).stop("SIGKILL"),
    startAgain,
  ),
  failover(
    "hang",
    "hangs (SIGSTOP)",
    ({ lab, victim }) =>
      Promise.resolve(Deno.kill(lab.daemon(victim).pid, "SIGSTOP")),
    async (scene) => {
      await scene.lab.daemon(scene.victim).stop("SIGKILL");
      await startAgain(scene);
    },
  ),
  cable("carrier", "cable pulled out"),
  cable("silent", "cable loses everything, carrier stays"),
  {
    id: "sync",
    title: "hears nothing of the others",
    rounds: 1,
    async happens(scene) {
      await scene.lab.network.cutSync(scene.victim);
      return [await left(scene, SYNC_WATCH_SECONDS) ? "withdrawn" : "stays"];
    },
    async repair(scene) {
      await scene.lab.network.healSync(scene.victim);
      await back(scene);
    },
  },
  {
    id: "added",
    title: "a member is added",
    async prepare({ lab, victim }) {
      await lab.daemon(victim).stop();
      await left({ lab, victim });
    },
    async happens(scene) {
      await startAgain(scene);
      return [];
    },
    repair: () => Promise.resolve(),
  },
  {
    id: "rolling",
    title: "all three restarted, one after the other",
    rounds: 1,
    happens: rollingRestart,
    repair: () => Promise.resolve(),
  },
];
