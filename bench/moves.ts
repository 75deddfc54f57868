/**
 * What a move from one server of a cluster to another one costs a client: of
 * three servers of ours, of three anytuns, and of both together. A datagram
 * goes out every 2 ms and should come back. Needs root.
 *
 * @module
 */
import { ClusterFlow } from "../lab/cluster_flow.ts";
import { ClusterLab } from "../lab/cluster_lab.ts";
import { whyNoLab } from "../lab/missing.ts";
import { anytun, oursNative, type PeerProgram } from "../lab/peers.ts";
import { median } from "./tunnel/statistics.ts";

const MOVES = 9;
const INTERVAL_MS = 2;

const CLUSTERS: readonly (readonly PeerProgram[])[] = [
  [oursNative, oursNative, oursNative],
  [anytun, anytun, anytun],
  [oursNative, oursNative, anytun],
];

async function measure(programs: readonly PeerProgram[]): Promise<void> {
  await using lab = await ClusterLab.open(`cb-${Deno.pid}`);
  for (const [k, program] of programs.entries()) {
    const server = await lab.startServer(k + 1, program);
    await server.line(/opening socket|tunnel is set up|started/);
  }
  await lab.moveTo(1);
  await lab.startClient(oursNative);
  const flow = await ClusterFlow.start(lab, INTERVAL_MS);
  print(`\n${programs.map(({ name }) => name).join(", ")}`);
  let sent = 0;
  let lost = 0;
  const gaps: number[] = [];
  for (let move = 1; move <= MOVES; move++) {
    const report = await flow.during(() => lab.moveTo(move % 3 + 1));
    sent += report.sent;
    lost += report.lost;
    gaps.push(report.gap);
  }
  print(
    `  ${MOVES} moves: ${lost} of ${sent} packets lost; ` +
      `longest pause ${median(gaps)} ms (median), ${
        Math.max(...gaps)
      } ms (worst)`,
  );
  const killed = await flow.during(async () => {
    await lab.killServer(MOVES % 3 + 1);
    await lab.moveTo((MOVES + 1) % 3 + 1);
  });
  print(
    `  a server killed, and a move at once: ${killed.lost} packets lost, ` +
      `longest pause ${killed.gap} ms`,
  );
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const reason = whyNoLab() ?? anytun.missing();
  if (reason !== null) {
    print(`Cannot measure: ${reason}`);
    Deno.exit(1);
  }
  for (const cluster of CLUSTERS) await measure(cluster);
  Deno.exit(0);
}
