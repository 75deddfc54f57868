import assert from "node:assert/strict";
import {
  exists,
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";

/** What is to be as it was at the end, whatever root is told to write. */
const VICTIM = "root's own\n";

labTest(
  "a pid file replaces a symbolic link, and is gone with the daemon",
  "d-pfl",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const victim = folder.file("victim");
    const pidFile = folder.file("pid");
    Deno.writeTextFileSync(victim, VICTIM);
    Deno.symlinkSync(victim, pidFile);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-P", pidFile],
    ]);
    await daemon.line(/tunnel is set up/);
    assert.equal(Deno.readTextFileSync(victim), VICTIM);
    assert.equal(Deno.readTextFileSync(pidFile), String(daemon.pid));
    assert.equal((await daemon.stop()).code, 0);
    assert.equal(exists(pidFile), false, "it is removed at the end");
  },
);

labTest(
  "a pid file that stays is left alone, and said to stay",
  "d-pfs",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const jail = folder.file("jail");
    Deno.mkdirSync(jail);
    const pidFile = folder.file("pid");
    const start = async (name: string, ...options: string[]) => {
      const log = folder.file(name);
      const end = await runDaemon(left, [
        ...["-d", "tun7", "-E", "x", "-L", `file:4,${log}`],
        ...["-P", pidFile, ...options],
      ]);
      assert.deepEqual(end, { code: 0, text: "" });
      return { log, daemon: ProcView.fromPidFile(pidFile) };
    };
    const stop = async (daemon: ProcView) => {
      daemon.kill("SIGTERM");
      await daemon.ended();
      await until(
        "its device is gone",
        5,
        async () => !await left.hasDevice("tun7"),
      );
    };
    const jailed = await start("jailed", "-C", jail, "-u", "nobody");
    await lineIn(jailed.log, /INFO: pid file .* will stay: the jail/);
    for (const { name } of Deno.readDirSync(`/proc/${jailed.daemon.pid}/fd`)) {
      const link = jailed.daemon.link(`fd/${name}`);
      assert.notEqual(link, folder.path, "no way out of the jail");
    }
    await stop(jailed.daemon);
    assert.ok(exists(pidFile));

    const dropped = await start("dropped", "-u", "nobody");
    await stop(dropped.daemon);
    await lineIn(dropped.log, /INFO: pid file .* stays: .*EACCES/);

    const replaced = await start("replaced");
    Deno.writeTextFileSync(pidFile, "1");
    await stop(replaced.daemon);
    assert.equal(Deno.readTextFileSync(pidFile), "1", "it is another's now");
  },
);

labTest(
  "a daemon that does not come up leaves the pid file of another alone",
  "d-pfo",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const pidFile = folder.file("pid");
    const options = ["-D", "-d", "tun7", "-E", "x", "-P", pidFile];
    const first = startDaemon(left, options);
    await first.line(/tunnel is set up/);
    assert.equal((await runDaemon(left, options)).code, 255);
    assert.equal(Deno.readTextFileSync(pidFile), String(first.pid));
    await first.stop();

    Deno.mkdirSync(pidFile);
    const { code, text } = await runDaemon(left, options);
    assert.equal(code, 255);
    assert.match(
      text,
      /exiting: can't open pid file \(--write-pid .*pid\): .* it is a folder;/,
    );
    assert.doesNotMatch(text, /tunnel is set up/);
  },
);

labTest(
  "no log is written by root through a link or into a FIFO",
  "d-lfl",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const victim = folder.file("victim");
    Deno.writeTextFileSync(victim, VICTIM);
    Deno.symlinkSync(victim, folder.file("symlink"));
    Deno.linkSync(victim, folder.file("hard"));
    await left.exec("mkfifo", folder.file("fifo"));
    const refusals = {
      symlink: "it is a symbolic link, which is not followed",
      hard: "it has 2 names",
      fifo: "it is a FIFO; it has to be a regular file",
    };
    for (const [name, why] of Object.entries(refusals)) {
      const path = folder.file(name);
      const daemon = startDaemon(left, [
        ...["-D", "-d", "tun7", "-E", "x", "-L", `file:3,${path}`],
      ]);
      const line = await daemon.line(/^anytun: Cannot log/);
      assert.equal((await daemon.ended).code, 255);
      const start = `anytun: Cannot log to the file '${path}' (--log file): `;
      assert.ok(line.startsWith(start) && line.includes(why), line);
    }
    assert.equal(Deno.readTextFileSync(victim), VICTIM);
    const daemon = startDaemon(left, [
      ...["-D", "-E", "x", "-L", "file:3,/dev/stdout"],
    ]);
    await daemon.line(/'\/dev\/stdout' .*, for which there is --log stdout/);
  },
);

labTest(
  "a link in the place of a log file is not followed after SIGHUP either",
  "d-lfh",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const log = folder.file("log");
    const victim = folder.file("victim");
    Deno.writeTextFileSync(victim, VICTIM);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x"],
      ...["-L", "stdout:3", "-L", `file:3,${log}`],
    ]);
    await daemon.line(/tunnel is set up/);
    for (const link of [Deno.symlinkSync, Deno.linkSync]) {
      Deno.renameSync(log, `${log}.1`);
      link(victim, log);
      const seen = daemon.lines.length;
      Deno.kill(daemon.pid, "SIGHUP");
      await daemon.line(
        /WARNING: Cannot log to .* opened before stays in use/,
        undefined,
        seen,
      );
      Deno.renameSync(`${log}.1`, log);
    }
    assert.equal((await daemon.stop()).code, 0);
    assert.equal(Deno.readTextFileSync(victim), VICTIM);
    assert.match(Deno.readTextFileSync(log), /SIG-Term caught, exiting/);
  },
);
