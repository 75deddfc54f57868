import assert from "node:assert/strict";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { DatagramFlow } from "../../lab/datagram_flow.ts";
import { serve } from "../../lab/measure.ts";
import type { LabProcess } from "../../lab/process.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { parseChainFile } from "../../src/satp/key_chain_file.ts";

async function counters(daemon: LabProcess): Promise<string> {
  const seen = daemon.lines.length;
  Deno.kill(daemon.pid, "SIGUSR2");
  const own = await daemon.line(/connection 0: /, undefined, seen);
  return `${own}, ${await daemon.line(/dropped: /, undefined, seen)}`;
}

labTest(
  "two ends with a copy of a chain talk, and each moves its file on",
  "k-chn",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const [mine, other] = ["left", "right"].map((name) => {
      Deno.mkdirSync(folder.file(name));
      return `${folder.file(name)}/chain`;
    });
    assert.ok(mine !== undefined && other !== undefined);
    const made = await runDaemon(left, [
      ...["genkey", "--chain", "--interval", "1m", "--chain-file", mine],
    ]);
    assert.equal(made.code, 0, made.text);
    // As if it had been made long ago: both have to come to the present.
    const text = Deno.readTextFileSync(mine);
    const { epoch } = parseChainFile(Deno.readFileSync(mine));
    Deno.writeTextFileSync(
      mine,
      text.replace(`epoch ${epoch}`, `epoch ${epoch - 100}`),
    );
    Deno.copyFileSync(mine, other);
    const common = ["-D", "-L", "stdout:5", "-d", "tun7"];
    const server = startDaemon(left, [
      ...[...common, "--key-chain", mine, "-n", "10.99.0.1/24"],
      ...["-s", "7", "-u", "nobody", "-C", folder.path],
    ]);
    Deno.chmodSync(folder.path, 0o755);
    Deno.chmodSync(folder.file("left"), 0o777);
    await server.line(/tunnel is set up/);
    const client = startDaemon(right, [
      ...[...common, "--key-chain", other, "-n", "10.99.0.2/24"],
      ...["-e", "right", "-r", left.ipv4],
    ]);
    await client.line(/tunnel is set up/);
    await right.ping("10.99.0.1");
    // The change of an epoch, at which nothing is lost. Not by ping: it waits for
    // the last answer no longer than twice as long as for the slowest one so far.
    await serve(left);
    const flow = await DatagramFlow.start(right, left, "10.99.0.1", 20);
    const daemons = [server, client];
    await Promise.all(daemons.map((daemon) => {
      const { length } = daemon.lines;
      return daemon.line(/key chain: sealing in epoch/, 90, length);
    }));
    const { sent, lost } = await flow.report();
    assert.ok(sent > 0);
    const counted = await Promise.all(daemons.map(counters));
    assert.equal(lost, 0, `${lost} of ${sent} lost: ${counted.join("; ")}`);
    for (const path of [mine, other]) {
      await until(`${path} moves on`, 60, async () => {
        await right.ping("10.99.0.1").catch(() => {});
        return parseChainFile(Deno.readFileSync(path)).epoch >= epoch;
      });
      assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    }
    assert.doesNotMatch(server.lines.join("\n"), /Cannot move on/);
    const second = await runDaemon(left, [
      ...[...common.slice(0, -1), "tun8", "--key-chain", mine, "-s", "7"],
      ...["-p", "4445"],
    ]);
    assert.equal(second.code, 255);
    assert.match(second.text, /as left with mux 0 and sender id 7: another/);
    // What a killed daemon has claimed is free at once.
    await server.stop("SIGKILL");
    const again = startDaemon(left, [
      ...[...common, "--key-chain", mine, "-s", "7", "-n", "10.99.0.1/24"],
    ]);
    await again.line(/tunnel is set up/);
    await again.stop();
    await client.stop();
  },
);
