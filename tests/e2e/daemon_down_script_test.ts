import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";

labTest(
  "the down script has the device and the first rights, in a jail and as another user, too",
  "d-dn1",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const [out, jail] = [folder.file("out"), folder.file("jail")];
    Deno.mkdirSync(jail);
    const script = folder.script(
      "down",
      `exec >${out} 2>&1
       echo "$0 $*"; id -u; env | grep -v -e ^PWD= -e ^_= | sort
       ls -l /proc/self/fd/ | sed -n 's/.* \\([0-9]*\\) -> .*/\\1/p' | tr '\\n' ' '
       echo; ip -o link show dev "$1" | cut -d' ' -f2`,
    );
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-u", "nobody", "-C", jail],
      ...["-n", "10.99.0.1/24", "--mtu", "1300", "--down-script", script],
    ]);
    await daemon.line(/dropped privileges/);
    await daemon.line(/tunnel is set up/);
    assert.equal((await daemon.stop()).code, 0);
    await daemon.line(/NOTICE: executing down script '.*down'/);
    await daemon.line(/NOTICE: script '.*down' returned 0/);
    assert.deepEqual(Deno.readTextFileSync(out).split("\n"), [
      `${script} tun7 /dev/net/tun`,
      "0",
      "ANYTUN_ADDRESSES=10.99.0.1/24",
      "ANYTUN_DEVICE=tun7",
      "ANYTUN_MTU=1300",
      "ANYTUN_TYPE=tun",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "0 1 2 3 ",
      "tun7:",
      "",
    ]);
    assert.equal(await left.hasDevice("tun7"), false);
  },
);

labTest(
  "what scripts write is in the log, and a signal for all processes stops no down script",
  "d-dn2",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const up = folder.script("up", "echo it is up; echo and well >&2");
    const down = folder.script("down", "echo it is down; exit 3");
    const log = folder.file("log");
    const pidFile = folder.file("pid");
    const end = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-L", `file:3,${log}`, "-P", pidFile],
      ...["-x", up, "--down-script", down, "-u", "nobody"],
    ]);
    assert.deepEqual(end, { code: 0, text: "" });
    await lineIn(log, /NOTICE: script '.*up': it is up$/);
    await lineIn(log, /NOTICE: script '.*up': and well$/);
    const daemon = ProcView.fromPidFile(pidFile);
    const found = await left.exec("pgrep", "-f", down);
    const helpers = found.trim().split("\n").map(Number)
      .filter((pid) => pid !== daemon.pid);
    assert.equal(helpers.length, 1);
    for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"] as const) {
      for (const pid of helpers) Deno.kill(pid, signal);
    }
    daemon.kill("SIGTERM");
    await daemon.ended();
    await lineIn(log, /NOTICE: script '.*down': it is down$/);
    await lineIn(log, /NOTICE: script '.*down' returned 3$/);
  },
);

labTest(
  "whoever waits to become the down script ends with a daemon that is killed",
  "d-dn3",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const out = folder.file("out");
    const down = folder.script("down", `echo >${out}`);
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "--down-script", down],
    ]);
    await daemon.line(/tunnel is set up/);
    const found = await left.exec("pgrep", "-f", `sh ${down}`);
    const helper = new ProcView(Number(found.trim().split("\n").at(-1)));
    Deno.kill(daemon.pid, "SIGKILL");
    await helper.ended();
    assert.throws(() => Deno.statSync(out), Deno.errors.NotFound);
  },
);

labTest(
  "a down script that hangs or is not there does not keep the daemon",
  "d-dn4",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const hangs = folder.script("hangs", "echo waiting as $$; exec sleep 60");
    const first = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "--down-script", hangs],
    ]);
    await first.line(/tunnel is set up/);
    Deno.kill(first.pid, "SIGTERM");
    const line = await first.line(/script '.*hangs': waiting as \d+$/);
    // The second signal waits for nothing any more.
    Deno.kill(first.pid, "SIGTERM");
    assert.equal((await first.ended).code, 0);
    assert.equal(await left.hasDevice("tun7"), false);
    Deno.kill(Number(line.split(" ").at(-1)), "SIGKILL");
    const none = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "--down-script", folder.file("none")],
    ]);
    await none.line(/tunnel is set up/);
    assert.equal((await none.stop()).code, 0);
    await none.line(/script '.*none' returned 127$/);
  },
);
