import assert from "node:assert/strict";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { DatagramFlow } from "../../lab/datagram_flow.ts";
import { iperf } from "../../lab/iperf.ts";
import { copy, serve } from "../../lab/measure.ts";
import { missingCommand } from "../../lab/missing.ts";
import type { LabProcess } from "../../lab/process.ts";
import { fastClock } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { parseChainFile } from "../../src/satp/key_chain_file.ts";

/** Changes of the epoch; a closing run has 50 of them. */
const EPOCHS = Number(Deno.env.get("ANYTUN_EPOCHS") ?? 2);

/** A minute of clocks that run ten times as fast. */
const EPOCH_SECONDS = 6;

const [LEFT, RIGHT] = ["10.99.0.1", "10.99.0.2"];

/** Less than a full queue of the kernel, which would drop packets as well. */
const BITRATE = 20e6;
const COPY_BYTES = 500_000;
const FLOW_MS = 5;

/** What makes datagrams of the peer worthless. */
const REFUSED = /[1-9]\d* (not sent|with a wrong tag|replayed|of a wrong type)/;

async function counters(daemon: LabProcess): Promise<string> {
  const seen = daemon.lines.length;
  Deno.kill(daemon.pid, "SIGUSR2");
  return await daemon.line(/connection 0: /, undefined, seen);
}

labTest(
  `a stream, copies and a flow of datagrams go through ${EPOCHS} changes of the epoch without a lost packet`,
  "f-ep",
  [missingCommand("iperf3")],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const program = fastClock(Date.now());
    const files = ["left", "right"].map((name) => folder.file(name));
    const chains = files.map((file) => `${file}/chain`);
    for (const file of files) Deno.mkdirSync(file);
    const [mine = "", other = ""] = chains;
    const genkey = ["genkey", "--chain", "--interval", "1m"];
    const argv = [...genkey, "--chain-file", mine];
    const made = await runDaemon(left, argv, { program });
    assert.equal(made.code, 0, made.text);
    Deno.copyFileSync(mine, other);
    const first = parseChainFile(Deno.readFileSync(mine)).epoch;
    const common = ["-D", "-L", "stdout:4", "-d", "tun7"];
    const server = startDaemon(left, [
      ...[...common, "--key-chain", mine, "-n", `${LEFT}/24`],
    ], { program });
    await server.line(/tunnel is set up/);
    const client = startDaemon(right, [
      ...[...common, "--key-chain", other, "-n", `${RIGHT}/24`],
      ...["-e", "right", "-r", left.ipv4],
    ], { program });
    await client.line(/tunnel is set up/);
    await right.ping(LEFT);
    await serve(left);
    const flow = await DatagramFlow.start(right, left, LEFT, FLOW_MS);
    const seconds = (EPOCHS + 1) * EPOCH_SECONDS;
    let isOver = false;
    const streaming = iperf(right, left, {
      ...{ address: LEFT, seconds, bitrate: BITRATE },
    }).finally(() => isOver = true);
    while (!isOver) {
      const { intact } = await copy(right, LEFT, COPY_BYTES, 30);
      assert.ok(intact);
    }
    assert.ok((await streaming).bytes > BITRATE / 8 * seconds / 2);
    const report = await flow.report();
    assert.ok(report.sent > 0);
    assert.equal(report.lost, 0);
    for (const daemon of [server, client]) {
      assert.doesNotMatch(await counters(daemon), REFUSED);
    }
    for (const chain of chains) {
      await until(
        "the file moves on",
        20,
        () => parseChainFile(Deno.readFileSync(chain)).epoch >= first + EPOCHS,
      );
    }
    await client.stop();
    await server.stop();
  },
);
