import assert from "node:assert/strict";
import { LEFT, passphrase, PORT, RIGHT } from "../interop/settings.ts";
import {
  guardOf,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import {
  carriersOf,
  holdThreads,
  whyNoTracing,
} from "../../lab/held_threads.ts";
import type { LabHost } from "../../lab/host.ts";
import { deniedCalls, whyNoKernelLog } from "../../lab/kernel_log.ts";
import type { Lab } from "../../lab/lab.ts";
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

/** Runs one of our programs at a socket to its end, and returns what it says. */
type Ask = (word: string, ...options: readonly string[]) => Promise<string>;

/** Right after a drain it carries what comes, and then it is announced again. */
async function drainsAndReturns(
  { left, right }: Lab,
  ask: Ask,
): Promise<void> {
  const line = /anycast: 198\.51\.100\.1\/32, \S+ on any0 announced$/m;
  await until("it says so", 20, async () => line.test(await ask("status")));
  await ask("drain", "--wait", "0");
  assert.deepEqual(await announced(left), []);
  // The kernel forgets neither the socket's address nor that of answers.
  await right.ping(LEFT);
  await ask("undrain");
  await untilAnnounced(left, true);
}

/** At the end it carries what still comes, until it is asked once more. */
async function endsLast(
  { left, right }: Lab,
  daemon: LabProcess,
): Promise<void> {
  // Without traffic it would be empty, and end.
  const pings = right.spawn("ping", "-i", "0.2", LEFT);
  await pings.line(/icmp_seq=/);
  Deno.kill(daemon.pid, "SIGTERM");
  await daemon.line(/any0 is withdrawn: draining: it is about to end/);
  assert.deepEqual(await announced(left), []);
  await right.ping(LEFT);
  assert.ok(!daemon.hasEnded, "it carries");
  // The second signal hurries.
  assert.equal((await daemon.stop()).code, 0);
  assert.ok(!await left.hasDevice(DEVICE));
}

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing, command } = program;
  const family = letter === "s" ? "ipv6" : "ipv4";
  labTest(
    `anytun ${name} as another user in a jail is announced while it is fit, carries over ${family} after that, and goes first at its end`,
    `an-u${letter}`,
    [missing],
    async (lab) => {
      const { left } = lab;
      using folder = new TestFolder();
      const socket = folder.file("vpn.sock");
      const daemon = start(left, program, ...[
        ...["-u", "nobody", "-C", "/var", "--drain-time", "60"],
        ...["--status-socket", socket],
      ]);
      await daemon.line(/health: fit/);
      await untilAnnounced(left, true);
      const peer = await client(lab, family);
      await lab.right.ping(LEFT);
      const guard = await guardOf(daemon.pid);
      assert.deepEqual(guard.status("CapEff"), ["0000000000001000"]);
      assert.deepEqual(guard.status("Seccomp"), ["2"]);
      await drainsAndReturns(
        lab,
        (word, ...options) => left.run([...command, word, socket, ...options]),
      );
      if (whyNoKernelLog() === null) {
        assert.deepEqual(deniedCalls(daemon.pid), []);
        assert.deepEqual(deniedCalls(guard.pid), []);
      }
      await endsLast(lab, daemon);
      await guard.ended();
      assert.doesNotMatch(daemon.lines.join("\n"), /ERROR|not permitted/);
      assert.doesNotMatch(peer.lines.join("\n"), /ERROR/);
    },
  );
}

/** Daemons in the background, one after the other, with a script. */
class InBackground {
  readonly folder: TestFolder;
  readonly #host: LabHost;

  constructor(host: LabHost, folder: TestFolder) {
    this.#host = host;
    this.folder = folder;
  }

  get log(): string {
    return Deno.readTextFileSync(this.folder.file("log"));
  }

  /** How often its guard had reason to withdraw one. */
  get withdrawals(): number {
    return [...this.log.matchAll(/it did not answer its guard/g)].length;
  }

  /**
   * Does what leaves the announcement alone, and sees that; once more where the
   * guard had reason to withdraw meanwhile, as on a busy machine.
   */
  async aside(work: () => Promise<void>): Promise<void> {
    for (;;) {
      await untilAnnounced(this.#host, true);
      const before = this.withdrawals;
      try {
        await work();
        return assert.equal((await announced(this.#host)).length, 2);
      } catch (error) {
        // The log tells of it once the daemon answers again.
        await untilAnnounced(this.#host, true);
        if (this.withdrawals === before) throw error;
      }
    }
  }

  /** What the script was told, a line each. */
  get words(): readonly string[] {
    const text = Deno.readTextFileSync(this.folder.file("out"));
    return text.trim().split("\n");
  }

  async start(): Promise<ProcView> {
    const { folder } = this;
    const [pidFile, out] = [folder.file("pid"), folder.file("out")];
    const script = folder.script("announce", `echo "$@" | tee -a ${out}`);
    const end = await runDaemon(this.#host, [
      ...[...TUNNEL, ...ANYCAST, "-u", "nobody", "-P", pidFile],
      ...["-L", `file:4,${folder.file("log")}`, "--announce-script", script],
      ...["--workers", "2"],
    ]);
    assert.deepEqual(end, { code: 0, text: "" });
    return ProcView.fromPidFile(pidFile);
  }
}

/** Made beforehand, it outlives the daemon. */
async function makeDevice(host: LabHost): Promise<void> {
  await host.ip("tuntap", "add", "dev", DEVICE, "mode", "tap");
}

/** The device with the address gets another name. */
async function rename(host: LabHost, name: string): Promise<void> {
  // Not every kernel renames a device that is up.
  await host.ip("link", "set", DEVICE, "down");
  await host.ip("link", "set", DEVICE, "name", name, "up");
  assert.match(await host.ip("address", "show", "dev", name), /198\.51/);
}

/** Its address is still its own where the device has another name by now. */
async function endsRenamed(
  host: LabHost,
  daemon: ProcView,
  signal: "SIGTERM" | "SIGKILL",
): Promise<void> {
  const name = `away-${signal}`;
  await rename(host, name);
  daemon.kill(signal);
  await daemon.ended();
  const shown = () => host.ip("address", "show", "dev", name);
  // Sooner than the kernel does it by itself.
  const isGone = async () => !(await shown()).includes("198.51");
  await until("renamed, but not forgotten", 5, isGone);
}

/** A thread that carries stands still, while all else goes on. */
async function hangsInPart(
  host: LabHost,
  daemon: ProcView,
  daemons: InBackground,
): Promise<void> {
  const before = daemons.withdrawals;
  const threads = carriersOf(daemon);
  assert.equal(threads.length, 2);
  // By its health alone it would take seconds.
  const letGo = await holdThreads(host, threads.slice(1));
  const isNoticed = () => daemons.withdrawals !== before;
  await until("its guard notices", 10, isNoticed);
  assert.deepEqual(await announced(host), []);
  await letGo();
  await untilAnnounced(host, true);
}

/** Runs what the unit runs at each end of a daemon that has this config. */
function afterwards(host: LabHost, config: string, result: string) {
  const unit = Deno.readTextFileSync("packaging/systemd/anytun@.service");
  const line = /^ExecStopPost=-(\/bin\/sh -c) '(.*)' %i$/m;
  const [, shell = "", text = ""] = line.exec(unit) ?? [];
  const script = text.replaceAll("$$", "$")
    .replaceAll("/usr/sbin/anytun", fromSource.command.join(" "));
  const argv = [...shell.split(" "), script, config];
  return host.outcome(["env", `SERVICE_RESULT=${result}`, ...argv]);
}

/** A script is all that some daemons have: it is told by them alone. */
async function leavesItsScriptAlone(
  host: LabHost,
  daemons: InBackground,
): Promise<void> {
  const { folder, words } = daemons;
  // What a daemon without a config is called.
  const config = folder.file("anytun.yaml");
  const text = JSON.stringify({ "announce-script": folder.file("announce") });
  Deno.writeTextFileSync(config, text, { mode: 0o600 });
  const { code, stderr } = await afterwards(host, config, "signal");
  assert.match(
    stderr,
    /Cannot withdraw 'anytun' \(--announce-script\): another/,
  );
  assert.notEqual(code, 0);
  assert.deepEqual(daemons.words, words);
}

/** Before it is to be run, which might be when the daemon is killed. */
async function refusesScript(host: LabHost, file: string): Promise<void> {
  const daemon = startDaemon(host, [
    ...["-D", "-L", "stdout:4", "-d", "tun9", ...passphrase, "-p", "4445"],
    ...["--announce-script", file],
  ]);
  await daemon.line(
    /Cannot use '.*\/log' \(--announce-script\): it cannot be e/,
  );
  assert.notEqual((await daemon.ended).code, 0);
}

/** Daemon and guard are killed together: nobody of them takes anything away. */
async function endsWithItsGuard(
  host: LabHost,
  daemons: InBackground,
): Promise<void> {
  const { folder } = daemons;
  const config = folder.file("vpn.yaml");
  const text = {
    "anycast-address": [IPV4, IPV6],
    "anycast-device": DEVICE,
    "announce-script": folder.file("announce"),
    // Nothing but what was announced matters.
    "key-file": folder.file("gone"),
  };
  Deno.writeTextFileSync(config, JSON.stringify(text), { mode: 0o600 });
  const daemon = await daemons.start();
  const guard = await guardOf(daemon.pid);
  await daemons.aside(async () => {
    const refused = await afterwards(host, config, "signal");
    assert.match(
      refused.stderr,
      /Cannot withdraw .* another anytun of this host/,
    );
    await leavesItsScriptAlone(host, daemons);
  });
  guard.kill("SIGSTOP");
  daemon.kill("SIGKILL");
  guard.kill("SIGKILL");
  await guard.ended();
  const orderly = await afterwards(host, config, "success");
  assert.deepEqual(orderly, { code: 0, stdout: "", stderr: "" });
  assert.equal((await announced(host)).length, 2, "nobody takes it away");
  const local = ["route", "show", "table", "local", "198.51.100.1"];
  assert.match(await host.ip(...local), /metric/);
  const count = () => daemons.words.length;
  const before = count();
  const { code, stdout } = await afterwards(host, config, "oom-kill");
  assert.deepEqual(await announced(host), []);
  assert.equal(await host.ip(...local), "");
  assert.match(stdout, /: 198\.51\.100\.1\/32 is taken away from any0$/m);
  assert.match(stdout, /^withdraw 198\.51.*\n.*withdraw' returned 0$/m);
  assert.equal(code, 0);
  assert.ok(count() > before);
  assert.match(daemons.words.at(-1) ?? "", /^withdraw 198\.51/);
}

labTest(
  "a daemon that is killed or hangs is announced no more, and what it has left is taken away",
  "an-k",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const daemons = new InBackground(left, folder);
    await makeDevice(left);
    await left.ip("address", "add", IPV4, "dev", DEVICE);
    const first = await daemons.start();
    assert.match(daemons.log, /32 .* was on any0 already/);
    await untilAnnounced(left, true);
    await daemons.aside(async () => {
      const others = ["-d", "tun8", "-p", "4445"];
      const second = start(left, fromSource, ...others);
      await second.line(/Cannot announce 198\.51\.100\.1 .*another anytun/);
      await second.ended;
    });
    const own = startDaemon(left, [
      ...["-D", "-L", "stdout:4", "-n", `${LEFT}/24`, ...passphrase],
      ...["-p", "4445", "--anycast-address", "198.51.100.2/32"],
      ...["--anycast-device", "tun0"],
    ]);
    await own.line(
      /Cannot use 'tun0' \(--anycast-device\): it is the tunnel's/,
    );
    await own.ended;
    await refusesScript(left, folder.file("log"));
    const guard = await guardOf(first.pid);
    first.kill("SIGSTOP");
    await untilAnnounced(left, false);
    first.kill("SIGCONT");
    await untilAnnounced(left, true);
    if (whyNoTracing() === null) {
      await hangsInPart(left, first, daemons);
    }
    // A guard knows one that was made anew as well.
    await left.ip("link", "delete", DEVICE);
    await makeDevice(left);
    await untilAnnounced(left, true);
    await endsRenamed(left, first, "SIGKILL");
    await guard.ended();
    assert.match(
      daemons.log,
      /WARNING: the daemon .* is killed: 198\.51\.100\.1\/32, .* is announced no more on any0; the announce-script is told to withdraw$/m,
    );
    await makeDevice(left);
    const third = await daemons.start();
    await untilAnnounced(left, true);
    (await guardOf(third.pid)).kill("SIGKILL");
    const told = /ERROR: the guard .* has ended \(killed by signal 9\)/;
    await until("that is told", 10, () => told.test(daemons.log));
    await endsRenamed(left, third, "SIGTERM");
    const { words } = daemons;
    // On a busy machine a guard may have had reason to withdraw more often.
    assert.ok(words.length >= 6 && words.length % 2 === 0, String(words));
    words.forEach((line, k) => {
      const word = k % 2 === 0 ? "announce" : "withdraw";
      assert.equal(line, `${word} ${IPV4} ${IPV6}`);
    });
    await makeDevice(left);
    await endsWithItsGuard(left, daemons);
  },
);
