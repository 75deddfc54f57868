import assert from "node:assert/strict";
import type { LabHost } from "../../lab/host.ts";
import type { LabProcess } from "../../lab/process.ts";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import { OUR_PROGRAMS, withoutWorkers } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { parseChainFile } from "../../src/satp/key_chain_file.ts";

const TUNNEL = ["-D", "-d", "tun7", "-E", "x"];

/** What all threads of a process have in these lines of their status. */
function threads(daemon: LabProcess, ...fields: string[]): readonly string[] {
  const all = new ProcView(daemon.pid).threads(...fields);
  assert.ok(all.size > 1, "there are threads of the runtime");
  return [...new Set(all.values())];
}

/** Where it is not null, the daemon's own counts alone are looked at. */
const unlogged = whyNoKernelLog();

/** Asks for its counters, and sees whether something was denied by then. */
async function hasNothingDenied(daemon: LabProcess, report: RegExp) {
  Deno.kill(daemon.pid, "SIGUSR2");
  await daemon.line(report, undefined, daemon.lines.length);
  assert.doesNotMatch(daemon.lines.join("\n"), /sandbox|not permitted|EPERM/i);
  if (unlogged === null) assert.deepEqual(deniedCalls(daemon.pid), []);
}

async function startPeer(
  right: LabHost,
  left: LabHost,
  port: string,
): Promise<LabProcess> {
  const peer = startDaemon(right, [
    ...[...TUNNEL, "-L", "stdout:3", "-e", "right", "-n", "10.99.0.2/24"],
    ...["-r", left.ipv4, "-p", port],
  ]);
  await peer.line(/tunnel is set up/);
  return peer;
}

for (const program of [...OUR_PROGRAMS, withoutWorkers]) {
  const { name, letter, missing } = program;

  labTest(
    `anytun ${name} does nothing that is denied, with traffic, lookups, new log files, a peer that roams, and at its end`,
    `d-sb${letter}`,
    [missing],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const [log, pid, hosts] = ["log", "pid", "hosts"].map((name) =>
        folder.file(name)
      ) as [string, string, string];
      // The C library asks the kernel for its addresses, to sort these.
      const addresses = [right.ipv4, "192.0.2.77"];
      Deno.writeTextFileSync(
        hosts,
        addresses.map((address) => `${address} peer.test\n`).join(""),
      );
      const daemon = startDaemon(left, [
        ...[...TUNNEL, "-n", "10.99.0.1/24", "-w", "1024", "-4", "-P", pid],
        ...["-r", "peer.test", "-L", "stdout:4", "-L", `file:4,${log}`],
      ], { program, hosts });
      await daemon.line(/tunnel is set up/, 30);
      assert.deepEqual(threads(daemon, "NoNewPrivs", "Seccomp"), ["1,2"]);

      const peer = await startPeer(right, left, "4444");
      await right.ping("10.99.0.1");
      Deno.kill(daemon.pid, "SIGHUP");
      await daemon.line(/remote host peer\.test is (still|now)/);
      Deno.renameSync(log, `${log}.1`);
      Deno.kill(daemon.pid, "SIGUSR2");
      await lineIn(log, /NOTICE: connection 0: /);
      await peer.stop();
      await startPeer(right, left, "4555");
      await right.ping("10.99.0.1");
      // For a timeout that goes on afterwards, restart_syscall(2).
      Deno.kill(daemon.pid, "SIGSTOP");
      await until(
        "it has stopped",
        10,
        () => new ProcView(daemon.pid).status("State")[0] === "T",
      );
      Deno.kill(daemon.pid, "SIGCONT");
      await right.ping("10.99.0.1");
      await hasNothingDenied(daemon, /NOTICE: dropped: /);
      assert.equal((await daemon.stop()).code, 0);
      assert.throws(() => Deno.statSync(pid), Deno.errors.NotFound);
    },
  );
}

labTest(
  "a daemon that keeps numbers outside of its jail, and a chain that moves on, does nothing that is denied",
  "d-sk",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    using jail = new TestFolder();
    const [mine, other] = [folder.file("mine"), folder.file("other")];
    const made = await runDaemon(left, [
      ...["genkey", "--chain", "--interval", "1m", "--chain-file", mine],
    ]);
    assert.equal(made.code, 0, made.text);
    const { epoch } = parseChainFile(Deno.readFileSync(mine));
    const text = Deno.readTextFileSync(mine);
    const old = text.replace(`epoch ${epoch}`, `epoch ${epoch - 100}`);
    Deno.writeTextFileSync(mine, old);
    Deno.copyFileSync(mine, other);
    Deno.chmodSync(folder.path, 0o777);
    const daemon = startDaemon(left, [
      ...[...TUNNEL.slice(0, 3), "-L", "stdout:4", "-n", "10.99.0.1/24"],
      ...["--key-chain", mine, "--state-dir", folder.file("state")],
      ...["-r", right.ipv4, "-u", "nobody", "-C", jail.path],
    ]);
    await daemon.line(/tunnel is set up/, 30);
    const peer = startDaemon(right, [
      ...[...TUNNEL.slice(0, 3), "-L", "stdout:4", "-n", "10.99.0.2/24"],
      ...["--key-chain", other, "-r", left.ipv4, "-e", "right"],
    ]);
    await peer.line(/tunnel is set up/, 30);
    await until("the chain moves on", 60, async () => {
      await right.ping("10.99.0.1").catch(() => {});
      return parseChainFile(Deno.readFileSync(mine)).epoch >= epoch;
    });
    const names = () =>
      [...Deno.readDirSync(folder.file("state"))].map(({ name }) => name);
    assert.ok(names().some((name) => name.startsWith("accepted-")));
    await hasNothingDenied(daemon, /NOTICE: dropped: /);
    assert.equal((await daemon.stop()).code, 0);
    assert.ok(names().some((name) => name.startsWith("numbers-")));
  },
);

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing } = program;

  labTest(
    `a control daemon and members ${name}, over TCP and unix sockets, do nothing that is denied`,
    `d-sc${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const [clients, socket] = [folder.file("clients"), folder.file("sock")];
      Deno.writeTextFileSync(clients, "");
      const control = "127.0.0.1:2323";
      const controld = startDaemon(left, [
        ...["controld", "-D", "-L", "stdout:4", "-f", clients, "-X", control],
      ], { program });
      await controld.line(/sync server listening/, 30);
      const member = (device: string, mux: string, ...options: string[]) =>
        startDaemon(left, [
          ...["-D", "-L", "stdout:4", "-d", device, "-t", "tun", "-E", "x"],
          ...["-m", mux, "-p", `440${mux}`, ...options],
        ], { program });
      const server = member(
        ...["tun7", "7", "-X", control, "-S", `unix:${socket}`] as const,
      );
      await server.line(/tunnel is set up/, 30);
      await server.line(/sync: connected to/, 20);
      const client = member("tun8", "8", "-X", `unix:${socket}`);
      await client.line(/sync: connected to unix:/, 30);
      // The stream ends, and is opened again.
      assert.equal((await server.stop()).code, 0);
      assert.throws(() => Deno.statSync(socket), Deno.errors.NotFound);
      await client.line(/sync: connection to .* lost|sync: cannot connect/, 20);
      Deno.kill(controld.pid, "SIGHUP");
      await controld.line(/0 records are new, 0 are gone/);
      await hasNothingDenied(client, /NOTICE: dropped: /);
      await hasNothingDenied(controld, /records?/);
      for (const daemon of [client, controld]) {
        assert.deepEqual(threads(daemon, "NoNewPrivs", "Seccomp"), ["1,2"]);
        assert.equal((await daemon.stop()).code, 0);
      }
    },
  );
}

labTest(
  "with --no-sandbox no thread is restricted, and that is a warning",
  "d-sn",
  [],
  async ({ left }) => {
    const daemon = startDaemon(left, [...TUNNEL, "--no-sandbox"]);
    await daemon.line(/WARNING: .*--no-sandbox: whoever finds a fault/);
    await daemon.line(/tunnel is set up/);
    assert.deepEqual(threads(daemon, "NoNewPrivs", "Seccomp"), ["0,0"]);
  },
);
