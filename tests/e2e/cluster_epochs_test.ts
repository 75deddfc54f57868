import assert from "node:assert/strict";
import { epochIn, placeChain } from "../../lab/chains.ts";
import { ClusterFlow } from "../../lab/cluster_flow.ts";
import { CLIENT, type ClusterLab, HOME, MUX } from "../../lab/cluster_lab.ts";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import { iperf } from "../../lab/iperf.ts";
import { copy } from "../../lab/measure.ts";
import { missingCommand } from "../../lab/missing.ts";
import { anytun, oursStartedAs, type PeerProgram } from "../../lab/peers.ts";
import { fastClock } from "../../lab/programs.ts";
import { clusterTest } from "../../lab/test_case.ts";
import { outputOf } from "../../lab/tools.ts";

/** Changes of the epoch; a closing run has 50 of them. */
const EPOCHS = Number(Deno.env.get("ANYTUN_EPOCHS") ?? 3);

const CONTROL = `${HOME}:2325`;

/** The server that has no chain. */
const TOLD = 3;
/** A minute of clocks that run ten times as fast. */
const EPOCH_SECONDS = 6;

/** Less than a full queue of the kernel, which would drop packets as well. */
const BITRATE = 10e6;
const FLOW_MS = 5;
const COPY_BYTES = 200_000;

/** A control daemon behind the servers that has a copy of the client's chain. */
async function startControld(
  { home }: ClusterLab,
  folder: TestFolder,
  program: ReturnType<typeof fastClock>,
): Promise<void> {
  const file = folder.file("clients");
  const record = ["-m", String(MUX), "-E", "no key of anybody"];
  const text = await outputOf("config", [...record, "-R", `${CLIENT}/32`]);
  Deno.writeTextFileSync(file, text, { mode: 0o600 });
  const controld = startDaemon(home, [
    ...["controld", "-D", "-L", "stdout:4", "-f", file, "-X", CONTROL],
    ...["--key-chains", folder.file("chains")],
  ], { program });
  await controld.line(/sync server listening/);
}

/** All of the cluster: two that have the chain, and one that is told of keys. */
async function startAll(
  lab: ClusterLab,
  folder: TestFolder,
  told: PeerProgram | undefined,
): Promise<string> {
  const origin = Date.now();
  const program = fastClock(origin);
  const ours = oursStartedAs(program);
  const chains = ["client/chain", `chains/${MUX}`, "one/chain", "two/chain"]
    .map((name) => folder.file(name));
  placeChain(chains, origin);
  const [own = "", , ...others] = chains;
  await startControld(lab, folder, program);
  const mux = ["-m", String(MUX)];
  const route = ["-R", `${CLIENT}/32`];
  // An original keeps its window when it gets another key, whose numbers begin
  // anew: with one it would hear nothing (sync section 5).
  const window = told === undefined ? [] : ["-w", "0"];
  for (const [k, chain] of others.entries()) {
    const keys = [...mux, ...route, ...window, "--key-chain", chain];
    await lab.startServer(k + 1, ours, [], keys);
  }
  await lab.startServer(TOLD, told ?? ours, [], ["-X", CONTROL]);
  await lab.moveTo(1);
  await lab.startClient(ours, undefined, [...mux, "--key-chain", own]);
  return own;
}

for (const told of [undefined, anytun]) {
  const name = told?.name ?? "ours";
  clusterTest(
    `${EPOCHS} changes of the epoch cost no packet at servers with a key chain, and break no copy at one of ${name} that a control daemon tells of keys`,
    `f-${told ? "o" : "c"}`,
    [missingCommand("iperf3"), told?.missing() ?? null],
    async (lab) => {
      using folder = new TestFolder();
      const chain = await startAll(lab, folder, told);
      const flow = await ClusterFlow.start(lab, FLOW_MS);
      for (let change = 0; change < EPOCHS; change++) {
        const server = change % 3 + 1;
        await lab.moveTo(server);
        await lab.client.ping(HOME);
        await flow.during(() => Promise.resolve());
        const epoch = epochIn(chain);
        const { sent, lost } = await flow.during(async () => {
          const streaming = iperf(lab.client, lab.home, {
            ...{ address: HOME, seconds: EPOCH_SECONDS, bitrate: BITRATE },
          });
          while (epochIn(chain) === epoch) {
            assert.ok((await copy(lab.client, HOME, COPY_BYTES, 30)).intact);
          }
          assert.ok((await copy(lab.client, HOME, COPY_BYTES, 30)).intact);
          const { bytes } = await streaming;
          assert.ok(bytes > BITRATE / 8 * EPOCH_SECONDS / 2);
        });
        assert.ok(sent > 0);
        // Who is told of a key has it some time after the client has.
        if (server !== TOLD) assert.equal(lost, 0, `server ${server}`);
      }
    },
  );
}
