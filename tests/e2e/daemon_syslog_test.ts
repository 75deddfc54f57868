import assert from "node:assert/strict";
import { ProcView, runDaemon, TestFolder } from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { UnixListener } from "../../lab/unix_listener.ts";

labTest(
  "in the background the log goes to syslog unless -L is given",
  "d-sl1",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const socket = folder.file("devlog");
    await using syslog = new UnixListener(socket);
    // Whoever the daemon becomes may log.
    Deno.chmodSync(socket, 0o777);
    const jail = folder.file("jail");
    Deno.mkdirSync(jail);
    const end = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-P", folder.file("pid")],
      ...["-u", "nobody", "-C", jail],
    ], { syslog: socket });
    assert.deepEqual(end, { code: 0, text: "" });
    const pid = Deno.readTextFileSync(folder.file("pid"));
    const first = await syslog.receive();
    const date = "\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";
    assert.match(
      first,
      new RegExp(`^<29>${date} anytun\\[${pid}\\]: anytun started\\.\\.\\.$`),
    );
    // Also from within the jail, where there is no /dev/log.
    await syslog.find(/^<29>.*: dropped privileges to nobody/);
    Deno.kill(Number(pid), "SIGUSR2");
    await syslog.find(/^<29>.*: connection 0: 0 packets out/);
    Deno.kill(Number(pid), "SIGTERM");
    await syslog.find(/: SIG-Term caught, exiting$/);
  },
);

labTest(
  "-L syslog has a name, a facility and a level",
  "d-sl2",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const socket = folder.file("devlog");
    await using syslog = new UnixListener(socket);
    const end = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-P", folder.file("pid")],
      ...["-L", "syslog:2,vpn,local3"],
    ], { syslog: socket });
    assert.deepEqual(end, { code: 0, text: "" });
    const pid = Number(Deno.readTextFileSync(folder.file("pid")));
    assert.match(
      await syslog.receive(),
      /^<156>.* vpn\[\d+\]: passphrase is on/,
    );
    Deno.kill(pid, "SIGTERM");
  },
);

labTest(
  "a daemon in the background runs without a syslog, too, and says so once",
  "d-sl3",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const pidFile = folder.file("pid");
    const { code, text } = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-P", pidFile],
    ], { syslog: folder.file("none") });
    assert.equal(code, 0, text);
    assert.match(
      text,
      /^anytun: Cannot log to syslog, the default .*ENOENT.*$/,
    );
    const daemon = ProcView.fromPidFile(pidFile);
    daemon.kill("SIGTERM");
    await daemon.ended();
  },
);
