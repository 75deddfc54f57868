import assert from "node:assert/strict";
import { LEFT, passphrase, waitingLeft } from "../interop/settings.ts";
import {
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { Hosts, type LabHost } from "../../lab/host.ts";
import { missingCommand, whyNoLab } from "../../lab/missing.ts";
import { oursNative } from "../../lab/peers.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { until } from "../../lab/until.ts";

const BEHIND = "10.77.0.1";
const SCRIPT = `#!/bin/sh
{ ip -o link show "$1" && echo "in $ANYTUN_NETNS"; } >"$0.out"
`;

const NEEDED = [whyNoLab(), missingCommand("ping"), oursNative.missing()];

/** Two hosts with a cable, and a third one that has nothing but loopback. */
function netnsTest(
  name: string,
  tag: string,
  body: (left: LabHost, right: LabHost, inner: LabHost) => Promise<void>,
): void {
  testUnless(NEEDED, name, async () => {
    const names = ["a", "b", "i"].map((end) => `${tag}-${Deno.pid}${end}`);
    await using hosts = await Hosts.make(names);
    const [left, right, inner] = [hosts.at(0), hosts.at(1), hosts.at(2)];
    await hosts.connect(async () => {
      await left.join("wire", right, "wire");
      await left.address("wire", `${left.ipv4}/24`);
      await right.address("wire", `${right.ipv4}/24`);
      await left.address("lo", `${BEHIND}/32`);
    });
    await body(left, right, inner);
  });
}

const DEVICE = ["-d", "tun7", "-n", "10.99.0.2/24", "-n", "fd00:99::2/64"];

for (
  const [engine, workers] of [["auto", "1"], ["auto", "2"], ["webcrypto", "1"]]
) {
  netnsTest(
    "the device, its addresses, routes and script are in another namespace, " +
      `the sockets are not (--engine ${engine}, --workers ${workers})`,
    `n-${engine?.[0]}${workers}`,
    async (left, right, inner) => {
      using folder = new TestFolder();
      const script = folder.file("up");
      Deno.writeTextFileSync(script, SCRIPT, { mode: 0o755 });
      await oursNative.start(left, waitingLeft);
      const daemon = startDaemon(right, [
        ...["-D", "-L", "stdout:4", ...DEVICE, "--mtu", "1333"],
        ...["-e", "right", "-r", left.ipv4, ...passphrase],
        ...["--netns", inner.namespace, "-R", `${BEHIND}/32`],
        ...["--routes-install", "-x", script, "--post-up-required"],
        ...["--engine", engine ?? "", "--workers", workers ?? ""],
        ...["-u", "nobody", "-C", "/var"],
      ]);
      await daemon.line(/tunnel is set up/);
      await inner.ping(LEFT);
      await inner.ping(BEHIND);
      assert.equal(await right.hasDevice("tun7"), false);
      const link = await inner.ip("link", "show", "tun7");
      assert.match(link, /mtu 1333/);
      const said = Deno.readTextFileSync(`${script}.out`);
      assert.match(said, /tun7: /);
      assert.match(said, new RegExp(`in /run/netns/${inner.namespace}`));
      const caps = new ProcView(daemon.pid).status("CapEff")[0];
      assert.equal(caps, "0000000000001000", "CAP_NET_ADMIN for the routes");
      await daemon.stop();
      assert.equal(await inner.hasDevice("tun7"), false);
    },
  );
}

netnsTest(
  "in the background a daemon of several connections has its device in another namespace",
  "n-b",
  async (left, right, inner) => {
    using folder = new TestFolder();
    const pid = folder.file("pid");
    await oursNative.start(left, waitingLeft);
    const end = await runDaemon(right, [
      ...[...DEVICE, "-e", "right", "-r", left.ipv4, ...passphrase],
      ...["--netns", `/run/netns/${inner.namespace}`, "-P", pid],
      ...["-M", `unix:${folder.file("nobody")}`, "--workers", "2"],
      ...["-R", `${LEFT}/32,${BEHIND}/32`, "--routes-install"],
      ...["--sender-id", "0-9", "--log", "stdout:0"],
    ]);
    assert.equal(end.code, 0, end.text);
    const view = ProcView.fromPidFile(pid);
    try {
      await inner.ping(BEHIND);
    } finally {
      view.kill("SIGTERM");
      await view.ended();
    }
    await until("the device is gone", 10, async () => {
      return !await inner.hasDevice("tun7");
    });
  },
);

netnsTest(
  "a namespace that is not there, and a file that is none, are refused",
  "n-r",
  async (_left, right) => {
    const common = ["-D", ...passphrase, "--netns"];
    const none = await runDaemon(right, [...common, "at-nowhere"]);
    assert.equal(none.code, 255);
    assert.match(
      none.text,
      /network namespace \/run\/netns\/at-nowhere \(--netns\): there is none/,
    );
    const file = await runDaemon(right, [...common, "/etc/hostname"]);
    assert.equal(file.code, 255);
    assert.match(file.text, /\(--netns\): the file is no network namespace/);
  },
);
