import assert from "node:assert/strict";
import { startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { missingCommand } from "../../lab/missing.ts";
import type { Outcome } from "../../lab/process.ts";
import { fromSource } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { UnixListener } from "../../lab/unix_listener.ts";

const TUNNEL = ["-E", "secret", "-w", "64"];
const NOBODY = "65534";

/** A busy machine misses looks, which is no fault here. */
const PATIENT = ["--health-fall", "3600"];

/** Runs one of the programs that ask a daemon, to its end. */
function run(host: LabHost, ...args: string[]): Promise<Outcome> {
  return host.outcome([...fromSource.command, ...args]);
}

/** Waits until the health is told in this line, with this exit status. */
async function healthIs(
  host: LabHost,
  path: string,
  code: number,
  line: RegExp,
): Promise<void> {
  await until(`it is ${line}`, 60, async () => {
    const told = await run(host, "health", path);
    return told.code === code && line.test(told.stdout);
  });
}

/** As another user of the host, who has got at the socket. */
function askAsNobody(host: LabHost, path: string, request: string) {
  const curl = ["curl", "-s", "-m", "9", "--unix-socket", path];
  return host.outcome([
    ...["setpriv", "--reuid", NOBODY, "--clear-groups"],
    ...[...curl, ...request.split(" ")],
  ]);
}

labTest(
  "a daemon is fit, drained and taken back, by root alone, and says so everywhere",
  "h-all",
  [missingCommand("curl"), missingCommand("setpriv")],
  async ({ left, right }) => {
    using folder = new TestFolder();
    Deno.chmodSync(folder.path, 0o755);
    const path = folder.file("vpn.sock");
    assert.equal((await run(left, "health", path)).code, 4);
    const notify = folder.file("notify");
    await using manager = new UnixListener(notify);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", ...TUNNEL, "-e", "left", "-r", right.ipv4],
      ...["-n", "10.99.0.1/24", "--status-socket", path, "--metrics", "9100"],
      ...PATIENT,
    ], { env: { NOTIFY_SOCKET: notify } });
    await daemon.line(/tunnel is set up/);
    await manager.find(/^STATUS=running; starting: /m);
    await healthIs(left, path, 0, /^fit\n$/);
    await manager.find(/^STATUS=running; fit/m);
    const peer = startDaemon(right, [
      ...["-D", "-d", "tun7", ...TUNNEL, "-e", "right", "-r", left.ipv4],
      ...["-n", "10.99.0.2/24", "--status-socket", "off"],
    ]);
    await peer.line(/tunnel is set up/);
    await left.ping("10.99.0.2");
    await drains(left, path);
    await daemon.line(/health: draining: drained by root \(fit before\)/);
    await manager.find(/^STATUS=running; draining: drained by root/m);
    const http = "http://127.0.0.1:9100";
    const metrics = await left.exec("curl", "-s", `${http}/metrics`);
    assert.match(metrics, /^anytun_health\{state="draining"\} 1$/m);
    await left.ping("10.99.0.2");
    // A reload leaves it drained.
    const seen = daemon.lines.length;
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/SIG-Hup caught/, 20, seen);
    await healthIs(left, path, 2, /^draining: drained by root\n$/);
    const post = ["-X", "POST", "-o", "/dev/null", "-w", "%{http_code}"];
    for (const word of ["drain", "undrain"]) {
      const url = `${http}/${word}`;
      assert.equal(await left.exec("curl", "-s", ...post, url), "405");
    }
    await refusesOthers(left, path);
    assert.deepEqual(await run(left, "undrain", path), {
      ...{ code: 0, stdout: "fit\n", stderr: "" },
    });
    await daemon.stop();
    await peer.stop();
  },
);

/** With traffic it says what still comes, and without that it is empty. */
async function drains(host: LabHost, path: string): Promise<void> {
  const pings = host.spawn("ping", "-q", "-i", "0.1", "10.99.0.2");
  const text =
    /^draining: drained by root\nstill carries: [1-9]\d* packets a second from peers, and [1-9]\d* to them\n$/;
  // Of the last second: on a busy machine one may pass without a ping.
  await until("it says what comes and goes", 60, async () => {
    const busy = await run(host, "drain", path, "--wait", "2");
    assert.equal(busy.stderr, "");
    assert.equal(busy.code, 1);
    return text.test(busy.stdout);
  });
  await pings.stop("SIGINT");
  const empty = await run(host, "drain", path, "--wait", "60");
  assert.equal(empty.code, 0);
  assert.match(empty.stdout, /\nempty: no packet for \d+ s\n$/);
}

/** Neither the mode of the socket nor a way around it lets another user in. */
async function refusesOthers(host: LabHost, path: string): Promise<void> {
  const undrain = "-X POST http://localhost/undrain";
  assert.notEqual((await askAsNobody(host, path, undrain)).code, 0);
  Deno.chmodSync(path, 0o666);
  assert.match((await askAsNobody(host, path, undrain)).stdout, /^root and/);
  const reading = await askAsNobody(host, path, "http://localhost/health.json");
  assert.match(reading.stdout, /"state":"draining"/);
  Deno.chmodSync(path, 0o600);
}

labTest(
  "a device that is down, and a process that was stopped, make a daemon unfit",
  "h-dev",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const path = folder.file("vpn.sock");
    const config = folder.file("vpn.yaml");
    const write = (fall: number) =>
      Deno.writeTextFileSync(
        config,
        [
          ...["dev: tun7", "passphrase: x", "ifconfig: 10.99.0.1/24"],
          ...["username: nobody", `status-socket: ${path}`, "health-hold: 3"],
          ...[`health-fall: ${fall}`, ""],
        ].join("\n"),
        { mode: 0o600 },
      );
    write(3600);
    Deno.chownSync(config, Number(NOBODY), Number(NOBODY));
    Deno.chmodSync(folder.path, 0o755);
    const daemon = startDaemon(left, ["-D", "--config", config]);
    await daemon.line(/health: fit/, 60);
    await left.ip("link", "set", "tun7", "down");
    await daemon.line(/health: unfit: the device tun7 is down \(fit before\)/);
    await healthIs(left, path, 3, /^unfit: the device tun7 is down\n$/);
    const seen = daemon.lines.length;
    await left.ip("link", "set", "tun7", "up");
    await daemon.line(/health: fit \(unfit before\)/, 60, seen);
    write(2);
    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/options that have changed: --health-fall/);
    // Once more, where it was stopped before the health had the new options.
    await until("a process that is stopped misses looks", 60, async () => {
      Deno.kill(daemon.pid, "SIGSTOP");
      await new Promise((done) => setTimeout(done, 4000));
      Deno.kill(daemon.pid, "SIGCONT");
      await run(left, "health", path);
      return daemon.lines.some((line) =>
        /health: unfit: nothing was looked at for \d+ s/.test(line)
      );
    });
    await daemon.stop();
  },
);

labTest(
  "a member that is cut off from all others is unfit, and one whose peers have ended is not, also in a jail",
  "h-sync",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const path = folder.file("vpn.sock");
    const jail = folder.file("jail");
    Deno.mkdirSync(jail);
    const file = folder.file("records");
    Deno.writeTextFileSync(file, "");
    const servers = await Promise.all(["2323", "2324"].map(async (port) => {
      const server = startDaemon(right, [
        ...["controld", "-D", "-L", "stdout:4", "-f", file],
        ...["-X", `${right.ipv4}:${port}`],
      ]);
      await server.line(/sync server listening/);
      return server;
    }));
    const follows = [2323, 2324].map((port) => `${right.ipv4}:${port}`);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", ...TUNNEL, "-n", "10.99.0.1/24", "-u", "nobody"],
      ...["-C", jail, "--status-socket", path, "-X", follows.join(",")],
      ...["--health-sync-age", "1", "--health-hold", "1", ...PATIENT],
    ]);
    await daemon.line(/health: fit/, 60);
    let seen = daemon.lines.length;
    await right.ip("link", "set", "wire", "down");
    await daemon.line(
      /health: unfit: .*:2323, .*:2324 are out of reach/,
      60,
      seen,
    );
    await right.ip("link", "set", "wire", "up");
    seen = daemon.lines.length;
    await daemon.line(/health: fit/, 60, seen);
    seen = daemon.lines.length;
    await servers[0]?.stop();
    await daemon.line(/connection to .*:2323 lost/, 20, seen);
    await servers[1]?.stop();
    await daemon.line(/connection to .*:2324 lost/, 20, seen);
    // Both hosts answer that nobody serves there: this one is not cut off.
    await new Promise((done) => setTimeout(done, 2500));
    await healthIs(left, path, 0, /^fit\n$/);
    const later = daemon.lines.slice(seen).join("\n");
    assert.doesNotMatch(later, /health:/);
    await daemon.stop();
  },
);
