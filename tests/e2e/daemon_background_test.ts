import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { OUR_PROGRAMS } from "../../lab/programs.ts";
import { until } from "../../lab/until.ts";

const SECRET = "correct-horse-battery";

for (const program of OUR_PROGRAMS) {
  labTest(
    `anytun ${program.name} is in the background once its tunnel is up`,
    `d-bg${program.letter}`,
    [program.missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const log = folder.file("log");
      const pidFile = folder.file("pid");
      const end = await runDaemon(left, [
        ...["-d", "tun7", "-n", "10.99.0.1/24", "-E", SECRET],
        ...["-L", `file:4,${log}`, "-P", pidFile],
      ], { program });
      assert.deepEqual(end, { code: 0, text: "" });

      // Nothing is to be waited for: that is the point of it.
      await left.exec("ping", "-c1", "-W5", "-q", "10.99.0.1");
      assert.match(Deno.readTextFileSync(pidFile), /^\d+$/);
      assert.equal((Deno.statSync(pidFile).mode ?? 0) & 0o777, 0o644);
      assert.equal((Deno.statSync(log).mode ?? 0) & 0o777, 0o640);

      const daemon = ProcView.fromPidFile(pidFile);
      assert.equal(daemon.text("comm"), "anytun");
      assert.equal(daemon.link("cwd"), "/");
      assert.deepEqual(daemon.status("Umask"), ["0022"]);
      const [, , , , , session] = daemon.text("stat").split(" ");
      assert.equal(Number(session), daemon.pid, "a session of its own");
      for (const stream of [0, 1, 2]) {
        assert.equal(daemon.link(`fd/${stream}`), "/dev/null");
      }

      assert.ok(!daemon.text("cmdline").includes(SECRET));
      assert.ok(daemon.text("cmdline").includes("#".repeat(SECRET.length)));
      assert.ok(!daemon.text("environ").includes(SECRET));
      assert.ok(!Deno.readTextFileSync(log).includes(SECRET));

      daemon.kill("SIGTERM");
      await daemon.ended();
      await lineIn(log, /NOTICE: SIG-Term caught, exiting/);
      await until(
        "the device is gone",
        5,
        async () => !await left.hasDevice("tun7"),
      );
    },
  );

  labTest(
    `anytun ${program.name} says what its start in the background waits for`,
    `d-wait${program.letter}`,
    [program.missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const launcher = startDaemon(left, [
        ...["-d", "tun7", "-E", "x", "-i", "name.invalid"],
        ...["-L", `file:3,${folder.file("log")}`, "-P", folder.file("pid")],
      ], { program });
      await launcher.line(
        /^anytun: Cannot resolve 'name\.invalid' \(--interface\) yet: .*again$/,
      );
      await lineIn(folder.file("log"), /resolving 'name\.invalid'.*10 sec/);
      assert.equal(await left.hasDevice("tun7"), true);

      const { code } = await launcher.stop("SIGINT");
      assert.equal(code, 130);
      assert.equal(await left.hasDevice("tun7"), false, "the daemon has ended");
    },
  );

  labTest(
    `a tunnel of anytun ${program.name} works and roams without privileges`,
    `d-jail${program.letter}`,
    [program.missing],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const jail = folder.file("jail");
      Deno.mkdirSync(jail);
      const start = async (
        host: typeof left,
        name: string,
        options: readonly string[],
      ): Promise<ProcView> => {
        const pidFile = folder.file(`${name}.pid`);
        const end = await runDaemon(host, [
          ...["-d", "tun7", "-E", SECRET, "-u", "nobody", "-C", jail],
          ...["-L", `file:4,${folder.file(name)}`, "-P", pidFile],
          ...options,
        ], { program });
        assert.deepEqual(end, { code: 0, text: "" });
        return ProcView.fromPidFile(pidFile);
      };
      const leftDaemon = await start(left, "left", ["-n", "10.99.0.1/24"]);
      const rightOptions = [
        ...["-n", "10.99.0.2/24", "-e", "right", "-r", left.ipv4],
      ];
      const rightDaemon = await start(right, "right", rightOptions);
      await right.ping("10.99.0.1");

      for (const daemon of [leftDaemon, rightDaemon]) {
        assert.equal(daemon.link("root"), jail);
        assert.equal(daemon.link("cwd"), jail);
        for (const ids of ["Uid", "Gid"]) {
          assert.ok(!daemon.status(ids).includes("0"), ids);
        }
        assert.equal(daemon.status("Groups").length, 1);
        assert.deepEqual(daemon.status("CapEff"), ["0".repeat(16)]);
        assert.deepEqual(daemon.status("CapPrm"), ["0".repeat(16)]);
      }

      rightDaemon.kill("SIGTERM");
      await rightDaemon.ended();
      await start(right, "right2", [...rightOptions, "-p", "5555"]);
      await right.ping("10.99.0.1");
      await left.ping("10.99.0.2");
      await lineIn(
        folder.file("left"),
        /autodetected remote host ip changed 192\.0\.2\.2:5555/,
      );
    },
  );
}
