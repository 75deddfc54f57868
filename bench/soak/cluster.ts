/**
 * Three servers of one address, and a client that is moved between them.
 *
 * @module
 */

import { type ClusterLab, HOME } from "../../lab/cluster_lab.ts";
import { copy, serve } from "../../lab/measure.ts";
import type { PeerProgram } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import type { SoakTunnel } from "./tunnel.ts";

const SERVERS = [1, 2, 3];
const COPY_BYTES = 100e6;
const SECONDS = 8;

/** Starts all servers and the client. */
export async function startCluster(
  lab: ClusterLab,
  program: PeerProgram,
): Promise<SoakTunnel> {
  const servers: LabProcess[] = [];
  for (const number of SERVERS) {
    servers.push(await lab.startServer(number, program));
  }
  await lab.moveTo(1);
  const client = await lab.startClient(program);
  await lab.client.ping(HOME);
  await serve(lab.home);
  const names = servers.map((server, k) => [`server ${k + 1}`, server]);
  let moves = 0;
  return {
    daemons: { client, ...Object.fromEntries(names) },
    echo: { from: lab.client, to: HOME },
    traffic: [{
      what: "a copy with a checksum, into the cluster",
      async act() {
        const { intact } = await copy(lab.client, HOME, COPY_BYTES, SECONDS);
        if (!intact) throw new Error("what was copied is not what arrived");
      },
    }],
    events: [
      {
        what: "the client moves to another server",
        act: () => lab.moveTo(++moves % SERVERS.length + 1),
      },
      {
        what: "all servers reload",
        act() {
          for (const { pid } of servers) Deno.kill(pid, "SIGHUP");
          return Promise.resolve();
        },
      },
    ],
  };
}
