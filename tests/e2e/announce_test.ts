import assert from "node:assert/strict";
import { LEFT, passphrase, PORT, RIGHT } from "../interop/settings.ts";
import {
  guardOf,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import { oursNative } from "../../lab/peers.ts";
import type { LabProcess } from "../../lab/process.ts";
import {
  fromSource,
  OUR_PROGRAMS,
  type OurProgram,
} from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

const IPV4 = "198.51.100.1/32";
const IPV6 = "2001:db8:100::1/128";
const DEVICE = "any0";
const ANYCAST = [
  ...["--anycast-address", IPV4, "--anycast-address", IPV6],
  ...["--anycast-device", DEVICE],
];
const TUNNEL = [
  ...["-d", "tun7", "-e", "left", "-n", `${LEFT}/24`, ...passphrase],
];

/** Addresses at the anycast device, but for its own ones. */
async function announced(host: LabHost): Promise<string[]> {
  if (!await host.hasDevice(DEVICE)) return [];
  const shown = await host.ip("-o", "address", "show", "dev", DEVICE);
  // Another host has it as well, on purpose, and it is of use at once.
  assert.doesNotMatch(shown, /scope global.* (tentative|dadfailed)/);
  return shown.split("\n").flatMap((line) =>
    /inet6? (\S+) scope global/.exec(line)?.[1] ?? []
  ).toSorted();
}

async function untilAnnounced(host: LabHost, isSo: boolean): Promise<void> {
  const expected = isSo ? [IPV4, IPV6] : [];
  await until(
    async () => `${expected} is there: ${await announced(host)}`,
    20,
    async () => String(await announced(host)) === String(expected),
  );
}

function start(
  host: LabHost,
  program: OurProgram,
  ...options: string[]
): LabProcess {
  return startDaemon(
    host,
    ["-D", "-L", "stdout:4", ...TUNNEL, ...ANYCAST, ...options],
    { program },
  );
}

/** A peer that reaches the member at the anycast address alone. */
async function client(
  { left, right }: { readonly left: LabHost; readonly right: LabHost },
  family: "ipv4" | "ipv6",
): Promise<LabProcess> {
  const host = family === "ipv4" ? IPV4 : IPV6;
  const address = host.replace(/\/.*/, "");
  await right.ip("route", "add", address, "via", left[family]);
  return await oursNative.start(right, {
    ...{ role: "right", type: "tun", addresses: [`${RIGHT}/24`], port: PORT },
    ...{ remote: { host: address, port: PORT }, options: passphrase },
  });
}

for (const { name, letter, missing, ...program } of OUR_PROGRAMS) {
  const ours = { name, letter, missing, ...program };
  const family = letter === "s" ? "ipv6" : "ipv4";
  labTest(
    `anytun ${name} as another user in a jail is announced while it is fit, carries over ${family} after that, and goes first at its end`,
    `an-u${letter}`,
    [missing],
    async (lab) => {
      const { left } = lab;
      using folder = new TestFolder();
      const socket = folder.file("vpn.sock");
      const daemon = start(left, ours, ...[
        ...["-u", "nobody", "-C", "/var", "--drain-time", "60"],
        ...["--status-socket", socket],
      ]);
      await daemon.line(/health: fit/);
      await untilAnnounced(left, true);
      const peer = await client(lab, family);
      await lab.right.ping(LEFT);
      const guard = await guardOf(daemon.pid);
      const ask = (word: string) =>
        left.exec(
          ...program.command as [string, ...string[]],
          ...[word, socket],
          ...(word === "drain" ? ["--wait", "0"] : []),
        );
      const line = /anycast: 198\.51\.100\.1\/32, \S+ on any0 announced$/m;
      await until("it says so", 20, async () => line.test(await ask("status")));
      assert.deepEqual(guard.status("CapEff"), ["0000000000001000"]);
      assert.deepEqual(guard.status("Seccomp"), ["2"]);
      await ask("drain");
      assert.deepEqual(await announced(left), []);
      // The kernel forgets neither the socket's address nor that of answers.
      await lab.right.ping(LEFT);
      await ask("undrain");
      await untilAnnounced(left, true);
      if (whyNoKernelLog() === null) {
        assert.deepEqual(deniedCalls(daemon.pid), []);
        assert.deepEqual(deniedCalls(guard.pid), []);
      }
      // Without traffic it would be empty, and end.
      const pings = lab.right.spawn("ping", "-i", "0.2", LEFT);
      await pings.line(/icmp_seq=/);
      Deno.kill(daemon.pid, "SIGTERM");
      await daemon.line(/any0 is withdrawn: draining: it is about to end/);
      assert.deepEqual(await announced(left), []);
      await lab.right.ping(LEFT);
      assert.ok(!daemon.hasEnded, "it carries");
      // The second signal hurries.
      assert.equal((await daemon.stop()).code, 0);
      assert.ok(!await left.hasDevice(DEVICE));
      await guard.ended();
      assert.doesNotMatch(daemon.lines.join("\n"), /ERROR|not permitted/);
      assert.doesNotMatch(peer.lines.join("\n"), /ERROR/);
    },
  );
}

labTest(
  "a daemon that is killed or hangs is announced no more, and what it has left is taken away",
  "an-k",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const pidFile = folder.file("pid");
    const out = folder.file("out");
    const script = folder.script("announce", `echo "$@" >>${out}`);
    // Made beforehand, it outlives the daemon.
    await left.ip("tuntap", "add", "dev", DEVICE, "mode", "tap");
    await left.ip("address", "add", IPV4, "dev", DEVICE);
    const log = folder.file("log");
    const begin = async () => {
      const end = await runDaemon(left, [
        ...[...TUNNEL, ...ANYCAST, "-u", "nobody", "-P", pidFile],
        ...["-L", `file:4,${log}`, "--announce-script", script],
      ]);
      assert.deepEqual(end, { code: 0, text: "" });
      return ProcView.fromPidFile(pidFile);
    };
    const first = await begin();
    assert.match(Deno.readTextFileSync(log), /32 .* was on any0 already/);
    await untilAnnounced(left, true);
    const others = ["-d", "tun8", "-p", "4445"];
    const second = start(left, fromSource, ...others);
    await second.line(/Cannot announce 198\.51\.100\.1 .*another anytun/);
    await second.ended;
    assert.equal((await announced(left)).length, 2, "it is left alone");
    const guard = await guardOf(first.pid);
    first.kill("SIGSTOP");
    await untilAnnounced(left, false);
    first.kill("SIGCONT");
    await untilAnnounced(left, true);
    first.kill("SIGKILL");
    await untilAnnounced(left, false);
    await guard.ended();
    const third = await begin();
    await untilAnnounced(left, true);
    (await guardOf(third.pid)).kill("SIGKILL");
    await until(
      "that is told",
      10,
      () =>
        /ERROR: the guard .* has ended \(killed by signal 9\)/
          .test(Deno.readTextFileSync(log)),
    );
    // Not every kernel renames a device that is up.
    await left.ip("link", "set", DEVICE, "down");
    await left.ip("link", "set", DEVICE, "name", "away0", "up");
    assert.match(await left.ip("address", "show", "dev", "away0"), /198\.51/);
    third.kill("SIGTERM");
    await third.ended();
    const there = await left.ip("address", "show", "dev", "away0");
    assert.doesNotMatch(there, /198\.51/, "renamed, but not forgotten");
    const words = Deno.readTextFileSync(out).trim().split("\n");
    // On a busy machine a guard may have had reason to withdraw more often.
    assert.ok(words.length >= 6 && words.length % 2 === 0, String(words));
    words.forEach((line, k) => {
      const word = k % 2 === 0 ? "announce" : "withdraw";
      assert.equal(line, `${word} ${IPV4} ${IPV6}`);
    });
  },
);
