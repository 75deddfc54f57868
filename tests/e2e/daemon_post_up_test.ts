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
  "the post-up script gets device and addresses, and the daemon's first rights",
  "d-pu1",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const out = folder.file("out");
    const script = folder.script(
      "up",
      `exec >${out} 2>&1
       echo "$0 $*"; id -u; env | grep -v -e ^PWD= -e ^_= | sort
       ls -l /proc/self/fd/0 | sed 's/.*-> //'
       ip -o link show dev "$1" | cut -d' ' -f2`,
    );
    const log = folder.file("log");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-L", `file:3,${log}`, "-u", "nobody"],
      ...["-n", "10.99.0.1/24", "-n", "fd00::1/64", "--mtu", "1300"],
      ...["-x", script],
    ]);
    await lineIn(log, /NOTICE: script '.*up' returned 0/);
    assert.equal(
      Deno.readTextFileSync(out),
      [
        `${script} tun7 /dev/net/tun`,
        "0",
        "ANYTUN_ADDRESSES=10.99.0.1/24 fd00::1/64",
        "ANYTUN_DEVICE=tun7",
        "ANYTUN_MTU=1300",
        "ANYTUN_TYPE=tun",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "/dev/null",
        "tun7:",
        "",
      ].join("\n"),
    );
    await lineIn(log, /NOTICE: executing post-up script '.*up'/);
    await daemon.stop();
  },
);

labTest(
  "a failing post-up script is logged, and the tunnel is up none the less",
  "d-pu2",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const scripts = [
      [folder.script("fails", "exit 7"), /NOTICE: script '.*' returned 7/],
      [
        folder.script("dies", "kill -9 $$"),
        /NOTICE: script '.*' terminated after signal 9/,
      ],
      [
        folder.file("none"),
        /ERROR: script '.*' exec\(\) error: No such file or directory/,
      ],
    ] as const;
    for (const [script, line] of scripts) {
      const log = folder.file("log");
      const pidFile = folder.file("pid");
      const end = await runDaemon(left, [
        ...["-d", "tun7", "-E", "x", "-L", `file:3,${log}`, "-P", pidFile],
        ...["-x", script],
      ]);
      assert.deepEqual(end, { code: 0, text: "" });
      await lineIn(log, line);
      const daemon = ProcView.fromPidFile(pidFile);
      daemon.kill("SIGTERM");
      await daemon.ended();
    }
  },
);

labTest(
  "a required post-up script is waited for, with the tunnel up",
  "d-pu3",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const out = folder.file("out");
    const script = folder.script(
      "up",
      `ping -c1 -W5 -q 10.99.0.1 && sleep 0.2 && echo done >${out}`,
    );
    const end = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"],
      ...["-L", `file:3,${folder.file("log")}`, "-P", folder.file("pid")],
      ...["-x", script, "--post-up-required"],
    ]);
    assert.deepEqual(end, { code: 0, text: "" });
    assert.equal(Deno.readTextFileSync(out), "done\n");
    ProcView.fromPidFile(folder.file("pid")).kill("SIGTERM");
  },
);

labTest(
  "a signal ends the daemon while a required script still runs",
  "d-pu4",
  [],
  async ({ left }) => {
    using folder = new TestFolder();
    const script = folder.script("up", "exec sleep 60");
    const daemon = startDaemon(left, [
      ...["-D", "-d", "tun7", "-E", "x", "-x", script, "--post-up-required"],
    ]);
    await daemon.line(/executing post-up script/);
    const { code } = await daemon.stop("SIGTERM");
    assert.equal(code, 0);
  },
);
