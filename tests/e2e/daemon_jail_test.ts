import assert from "node:assert/strict";
import { lineIn, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";

labTest(
  "in a jail, the name of the peer is resolved before, and after with its files",
  "d-jn",
  [],
  async ({ left, right }) => {
    using folder = new TestFolder();
    const hosts = folder.file("hosts");
    Deno.writeTextFileSync(hosts, `192.0.2.77 peer.test\n`);
    const jail = folder.file("jail");
    Deno.mkdirSync(`${jail}/etc`, { recursive: true });
    Deno.writeTextFileSync(`${jail}/etc/hosts`, `${right.ipv4} peer.test\n`);
    const log = folder.file("log");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"],
      ...["-L", "stdout:3", "-L", `file:3,${log}`, "-r", "peer.test", "-4"],
      ...["-u", "nobody", "-C", jail],
    ], { hosts });
    await daemon.line(/NOTICE: we are in chroot jail \(.*jail\) now/);
    await daemon.line(/NOTICE: dropped privileges to nobody:/);
    await daemon.line(/added connection remote host 192\.0\.2\.77:4444/);

    Deno.kill(daemon.pid, "SIGHUP");
    await daemon.line(/remote host peer\.test is now 192\.0\.2\.2:4444/);
    // A file outside of the jail stays open, and says so.
    await lineIn(log, /WARNING: Cannot log to .* opened before stays in use/);
    await lineIn(log, /remote host peer\.test is now/);
    assert.equal((await daemon.stop()).code, 0);
  },
);
