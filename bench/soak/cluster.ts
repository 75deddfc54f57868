/**
 * Three servers of one address, and a client that is moved between them. The
 * client has a key chain; the servers are told of its keys by a control daemon.
 *
 * @module
 */

import { epochIn, placeChain } from "../../lab/chains.ts";
import { CLIENT, type ClusterLab, HOME, MUX } from "../../lab/cluster_lab.ts";
import { startDaemon } from "../../lab/daemons.ts";
import { serve } from "../../lab/measure.ts";
import { oursAsBinary, type PeerProgram } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { asBinary, fromSource } from "../../lab/programs.ts";
import { outputOf } from "../../lab/tools.ts";
import { checkedCopy, type SoakTunnel } from "./tunnel.ts";

const SERVERS = [1, 2, 3];
const COPY_BYTES = 100e6;
const SECONDS = 8;

/** Where the servers are told of their client, and of each of its keys. */
const CONTROL = `${HOME}:2325`;

/**
 * Starts a control daemon that has the client's key chain, all servers, which
 * have not, and the client.
 *
 * @param fileOf The path of a file for a name
 */
export async function startCluster(
  lab: ClusterLab,
  program: PeerProgram,
  fileOf: (name: string) => string,
): Promise<SoakTunnel> {
  const chains = {
    client: fileOf("client/chain"),
    controld: fileOf(`chains/${MUX}`),
  };
  placeChain(Object.values(chains), Date.now());
  const controld = await startControld(lab, program, fileOf);
  const servers: LabProcess[] = [];
  for (const number of SERVERS) {
    const told = ["-X", CONTROL, "-w", "1024"];
    servers.push(await lab.startServer(number, program, [], told));
  }
  await lab.moveTo(1);
  const keys = ["-m", String(MUX), "--key-chain", chains.client];
  const client = await lab.startClient(program, undefined, keys);
  await lab.client.ping(HOME);
  await serve(lab.home);
  const names = servers.map((server, k) => [`server ${k + 1}`, server]);
  const echo = { from: lab.client, to: HOME };
  let moves = 0;
  return {
    daemons: { client, ...Object.fromEntries(names), controld },
    epoch: () => epochIn(chains.client),
    echo,
    traffic: [
      checkedCopy(
        "a copy with a checksum, into the cluster",
        echo,
        COPY_BYTES,
        SECONDS,
      ),
    ],
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

async function startControld(
  { home }: ClusterLab,
  { name }: PeerProgram,
  fileOf: (name: string) => string,
): Promise<LabProcess> {
  const file = fileOf("clients");
  // What stands for a key is not used: there is a chain.
  const record = ["-m", String(MUX), "-E", "soak", "-w", "1024"];
  const text = await outputOf("config", [...record, "-R", `${CLIENT}/32`]);
  Deno.writeTextFileSync(file, text, { mode: 0o600 });
  const controld = startDaemon(home, [
    ...["controld", "-D", "-L", "stdout:4", "-f", file, "-X", CONTROL],
    ...["--key-chains", fileOf("chains")],
  ], { program: name === oursAsBinary.name ? asBinary : fromSource });
  await controld.line(/sync server listening/);
  return controld;
}
