import assert from "node:assert/strict";
import { CAP } from "../../ffi/flags.ts";
import { LEFT, passphrase, RIGHT, waitingLeft } from "../interop/settings.ts";
import { ProcView, startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import { OUR_PROGRAMS } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";

const BEHIND = { ipv4: "10.77.0.1", ipv6: "fd77::1" };
const ROUTES = ["-R", "10.77.0.0/16,fd77::/64", "--routes-install"];
const NAMES = [...["-d", "tun7", "-e", "right", "-n", `${RIGHT}/24`]];
const MASK = (2 ** CAP.NET_ADMIN).toString(16).padStart(16, "0");

async function ours(host: LabHost): Promise<string[]> {
  const both = await Promise.all(
    ["-4", "-6"].map((family) =>
      host.ip(family, "route", "show", "proto", "97")
    ),
  );
  return both.join("").split("\n").filter((line) => line !== "")
    .map((line) => line.replace(/ .*/, ""));
}

async function eventually(host: LabHost, wanted: string[]): Promise<void> {
  let routes: string[] = [];
  for (let k = 0; k < 100 && routes.length < wanted.length; k++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    routes = await ours(host);
  }
  assert.deepEqual(routes, wanted);
}

function keepDevice(host: LabHost): Promise<string> {
  return host.ip("tuntap", "add", "dev", "tun7", "mode", "tun");
}

for (const { name, letter, missing, ...program } of OUR_PROGRAMS) {
  labTest(
    `anytun ${name} as another user in a jail makes its routes, carries over them, and takes them out again`,
    `kr-u${letter}`,
    [missing],
    async ({ left, right }) => {
      await left.address("lo", `${BEHIND.ipv4}/32`);
      await left.address("lo", `${BEHIND.ipv6}/128`);
      await oursNative.start(left, waitingLeft);
      await keepDevice(right);
      const daemon = startDaemon(right, [
        ...["-D", "-L", "stdout:4", ...NAMES, "-n", "fd00:99::2/64"],
        ...[...passphrase, "-r", left.ipv4, ...ROUTES],
        ...["-u", "nobody", "-C", "/var"],
      ], { program: { name, letter, missing, ...program } });
      await daemon.line(/dropped privileges to .*, but for CAP_NET_ADMIN/);
      await daemon.line(/tunnel is set up/);
      assert.deepEqual(await ours(right), ["10.77.0.0/16", "fd77::/64"]);
      await right.ping(BEHIND.ipv4);
      const view = new ProcView(daemon.pid);
      for (const [thread, set] of view.threads("CapEff")) {
        const isMain = thread === String(daemon.pid);
        assert.equal(set, isMain ? MASK : "0".repeat(16), thread);
      }
      if (whyNoKernelLog() === null) {
        assert.deepEqual(deniedCalls(daemon.pid), []);
      }
      await daemon.stop();
      assert.deepEqual(await ours(right), []);
      assert.ok(await right.hasDevice("tun7"), "it stays");
      assert.doesNotMatch(daemon.lines.join("\n"), /ERROR|not permitted/);
    },
  );
}

async function started(
  host: LabHost,
  ...options: string[]
): Promise<LabProcess> {
  const daemon = startDaemon(host, [
    ...["-D", "-L", "stdout:4", ...NAMES, ...passphrase, ...options],
  ]);
  await daemon.line(/tunnel is set up/);
  return daemon;
}

labTest(
  "after a kill the next start takes over its routes, and leaves those of others",
  "kr-k",
  [oursNative.missing()],
  async ({ right }) => {
    await keepDevice(right);
    const first = await started(right, ...ROUTES, "-R", "10.78.0.0/16");
    await first.stop("SIGKILL");
    assert.equal((await ours(right)).length, 3, "they are left");
    await right.ip("route", "add", "10.79.0.0/16", "dev", "tun7");
    await right.ip(
      "route",
      "add",
      "10.80.0.0/16",
      "dev",
      "wire",
      "proto",
      "97",
    );
    const second = await started(right, ...ROUTES, "-R", "10.79.0.0/16");
    await second.line(
      /route 10\.79\.0\.0\/16 .*there is a route of somebody else/,
    );
    assert.deepEqual(
      (await ours(right)).toSorted(),
      ["10.77.0.0/16", "10.80.0.0/16", "fd77::/64"],
    );
    await second.stop();
    assert.deepEqual(await ours(right), ["10.80.0.0/16"]);
    const left = await right.ip("route", "show", "10.79.0.0/16");
    assert.match(left, /dev tun7/);
  },
);

labTest(
  "routes come as soon as the device is up, also after it was down",
  "kr-d",
  [oursNative.missing()],
  async ({ right }) => {
    const daemon = startDaemon(right, [
      ...["-D", "-L", "stdout:4", "-d", "tun7", ...passphrase, ...ROUTES],
      ...["--routes-metric", "42"],
    ]);
    await daemon.line(/route 10\.77\.0\.0\/16 metric 42 .*the device is down/);
    await right.ip("link", "set", "tun7", "up");
    await daemon.line(/kernel route fd77::\/64 metric 42 is there/);
    await daemon.line(/kernel route 10\.77\.0\.0\/16 metric 42 is there/);
    const shown = await right.ip("route", "show", "10.77.0.0/16");
    assert.match(shown, /metric 42/);
    const both = await ours(right);
    assert.deepEqual(both, ["10.77.0.0/16", "fd77::/64"]);
    const flap = async () => {
      await right.ip("link", "set", "tun7", "down");
      assert.deepEqual(await ours(right), []);
      await right.ip("link", "set", "tun7", "up");
    };
    await flap();
    await eventually(right, both);
    await flap();
    Deno.kill(daemon.pid, "SIGHUP");
    await eventually(right, both);
    // With its last address of IPv4 a device loses the routes of IPv4 alone.
    // It does not put them back before that is seen.
    Deno.kill(daemon.pid, "SIGSTOP");
    await right.ip("address", "add", "10.66.0.1/32", "dev", "tun7");
    await right.ip("address", "del", "10.66.0.1/32", "dev", "tun7");
    assert.deepEqual(await ours(right), ["fd77::/64"]);
    Deno.kill(daemon.pid, "SIGCONT");
    await eventually(right, both);
  },
);

labTest(
  "routes that other members tell of are made and carried over, but for a default route and what is not accepted",
  "kr-s",
  [oursNative.missing()],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const socket = folder.file("server");
    const config = folder.file("member.yaml");
    Deno.writeTextFileSync(config, "routes-install: true\n");
    await left.address("lo", `${BEHIND.ipv4}/32`);
    await right.address("lo", "10.88.0.1/24");
    await oursNative.start(left, waitingLeft);
    const member = await started(
      right,
      ...["-M", `unix:${socket}`, "-r", left.ipv4, "-R", `${LEFT}/32`],
      ...["--config", config],
    );
    const server = startDaemon(right, [
      ...["-D", "-L", "stdout:4", "-d", "tun8", ...passphrase, "-p", "5000"],
      ...["-S", `unix:${socket}`, "-m", "0"],
      ...["-R", "10.77.0.0/16,0.0.0.0/0,9.9.9.9/32,10.88.0.9/32"],
    ]);
    await server.line(/tunnel is set up/);
    await member.line(/kernel route 10\.77\.0\.0\/16 is there/, 30);
    await member.line(/route 0\.0\.0\.0\/0 .*need --mark/);
    await member.line(/route 9\.9\.9\.9\/32 .*--routes-accept does not hold/);
    await member.line(/route 10\.88\.0\.9\/32 .*a network of this host's own/);
    await right.ping(BEHIND.ipv4);
    for (const network of ["default", "9.9.9.9/32", "10.88.0.9/32"]) {
      assert.equal(await right.ip("route", "show", network), "", network);
    }
    const accept = "routes-accept: [9.9.9.0/24, 10.88.0.0/16]\n";
    Deno.writeTextFileSync(config, `routes-install: true\n${accept}`);
    Deno.kill(member.pid, "SIGHUP");
    await member.line(/kernel route 10\.77\.0\.0\/16 is gone/);
    assert.deepEqual(
      (await ours(right)).toSorted(),
      ["10.99.0.1", "9.9.9.9"],
    );
  },
);
