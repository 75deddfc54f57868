import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { OUR_PROGRAMS } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";

const PASSPHRASE = "correct horse battery staple";
/** In every image of a system. */
const NOBODY = 65534;

for (const program of OUR_PROGRAMS) {
  labTest(
    `anytun ${program.name} has its options from a file, and takes them from it again`,
    `cfg${program.letter}`,
    [program.missing],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const [log, pid] = [folder.file("log"), folder.file("pid")];
      const config = folder.file("left.yaml");
      const write = (keepalive: string) =>
        Deno.writeTextFileSync(
          config,
          `dev: tun7
ifconfig: [10.99.0.1/24]
passphrase: "${PASSPHRASE}"
window-size: 64
username: nobody
write-pid: ${pid}
log: ["file:4,${log}"]
keepalive: ${keepalive}
`,
          { mode: 0o600 },
        );
      write("0");

      // Root reads it, and who it becomes may read it later.
      Deno.chownSync(config, NOBODY, NOBODY);
      const end = await runDaemon(left, ["--config", config], { program });
      assert.deepEqual(end, { code: 0, text: "" });
      const daemon = ProcView.fromPidFile(pid);
      const peer = folder.file("right.yaml");
      Deno.writeTextFileSync(
        peer,
        `remote-host: ${left.ipv4}\nrole: right\nifconfig: [10.99.0.2/24]\n` +
          `passphrase: ${PASSPHRASE}\nwindow-size: 64\nnodaemonize: true\n`,
        { mode: 0o600 },
      );
      const other = startDaemon(right, ["--config", peer, "-d", "tun8"], {
        program,
      });
      await other.line(/tunnel is set up/);
      await right.ping("10.99.0.1");
      const mtu = ["--config", config, "--mtu", "12"];
      const bad = await runDaemon(left, mtu, { program });
      assert.equal(bad.code, 255);

      write("7");
      daemon.kill("SIGHUP");
      await lineIn(log, /options that have changed: --keepalive in .*yaml:8/);

      write("x");
      daemon.kill("SIGHUP");
      await lineIn(
        log,
        /nothing is changed: \S+left\.yaml:8:12: Cannot use keepalive 'x': it needs/,
      );

      Deno.chownSync(config, 0, 0);
      daemon.kill("SIGHUP");
      await lineIn(
        log,
        /nothing is changed: Cannot use '\S+left\.yaml' \(--config\): .*EACCES.*; the daemon is user 'nobody' now \(--username\)/,
      );
      await right.ping("10.99.0.1");
      assert.ok(!Deno.readTextFileSync(log).includes(PASSPHRASE));
      daemon.kill("SIGTERM");
      await daemon.ended();
    },
  );

  labTest(
    `anytun ${program.name} checks and shows config files, and nothing more`,
    `chk${program.letter}`,
    [program.missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const config = folder.file("vpn.yaml");
      const text = `passphrase: ${PASSPHRASE}\nport: 5\nuser: a\n`;
      Deno.writeTextFileSync(config, text, { mode: 0o600 });
      const check = (...more: string[]) =>
        runDaemon(left, ["check", config, ...more], { program });
      assert.deepEqual(await check(), {
        code: 255,
        text: `${config}:3:1: there is no option 'user': did you mean ` +
          `username?\n${config}: would not start`,
      });
      Deno.writeTextFileSync(config, text.replace("user: a\n", "mtu: 1400\n"));
      const warned = await check();
      assert.equal(warned.code, 0);
      assert.match(warned.text, /warning: --mtu in \S+:3 has no effect/);
      assert.equal((await check("--strict")).code, 1);
      const shown = await runDaemon(left, ["show-config", config], { program });
      assert.equal(shown.code, 0);
      assert.match(shown.text, /^port: 5 # \S+vpn\.yaml:2$/m);
      assert.ok(!shown.text.includes(PASSPHRASE));
      Deno.chmodSync(config, 0o644);
      assert.match((await check()).text, /others can read them; use chmod 640/);
    },
  );
}
