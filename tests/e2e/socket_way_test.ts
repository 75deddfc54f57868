import assert from "node:assert/strict";
import {
  LEFT,
  passphrase,
  RIGHT,
  speakingRight,
  waitingLeft,
} from "../interop/settings.ts";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import type { Lab } from "../../lab/lab.ts";
import { oursNative, oursOnWebCrypto } from "../../lab/peers.ts";
import { labTest } from "../../lab/test_case.ts";

const MARK = "0x51";
const missing = [oursNative.missing()];

/** Only what has the mark gets from the right host to the left one. */
async function leadOthersAstray({ left, right }: Lab): Promise<void> {
  for (const [family, to] of [["-4", left.ipv4], ["-6", left.ipv6]]) {
    const rule = [family ?? "", "rule", "add", "to", to ?? ""];
    const passes = ["pref", "9", "fwmark", MARK, "lookup", "main"];
    await right.ip(...rule, ...passes);
    await right.ip(...rule, "pref", "10", "blackhole");
  }
}

for (const family of ["ipv4", "ipv6"] as const) {
  labTest(
    `datagrams over ${family} have the mark that --mark says`,
    `w-m${family}`,
    missing,
    async (lab) => {
      const { left, right } = lab;
      await leadOthersAstray(lab);
      await oursNative.start(left, waitingLeft);
      const settings = speakingRight(lab);
      await oursNative.start(right, {
        ...settings,
        remote: { host: left[family], port: 4444 },
        options: [...passphrase, "--mark", MARK],
      });
      await right.ping(LEFT);
    },
  );
}

labTest(
  "datagrams come and go over the device of --bind-device, whatever the routes say",
  "w-d",
  missing,
  async (lab) => {
    const { left, right } = lab;
    await left.join("other", right, "other");
    await left.address("other", "198.51.100.1/24");
    await right.address("other", "198.51.100.2/24");
    // Routes lead to the left host over a cable that swallows everything.
    await right.join("pit", left, "pit");
    await right.ip("link", "set", "pit", "up");
    await right.ip("route", "add", "203.0.113.1", "dev", "pit");
    const way = ["via", "198.51.100.1", "dev", "other", "metric", "99"];
    await right.ip("route", "add", "203.0.113.0/24", ...way);
    await left.address("lo", "203.0.113.1/32");
    await oursNative.start(left, {
      ...waitingLeft,
      options: [...passphrase, "-i", "203.0.113.1"],
    });
    await oursNative.start(right, {
      ...speakingRight(lab),
      remote: { host: "203.0.113.1", port: 4444 },
      options: [...passphrase, "--bind-device", "other"],
    });
    await right.ping(LEFT);
    await left.ping(RIGHT);
  },
);

labTest(
  "a device that is not there, and the portable plane, are refused by the name of the option",
  "w-r",
  [...missing, oursOnWebCrypto.missing()],
  async ({ left }) => {
    const common = ["-D", "-E", "x"];
    const gone = await runDaemon(left, [...common, "--bind-device", "nothing"]);
    assert.equal(gone.code, 255);
    assert.match(
      gone.text,
      /there is no such device to bind to \(--bind-device\)/,
    );
    for (const option of [["--mark", "7"], ["--bind-device", "wire"]]) {
      const engine = ["--engine", "webcrypto"];
      const end = await runDaemon(left, [...common, ...engine, ...option]);
      assert.equal(end.code, 255, option[0]);
      assert.match(
        end.text,
        new RegExp(`Cannot use ${option[0]} on the portable data plane`),
      );
    }
  },
);

labTest(
  "another user in a jail has mark and device",
  "w-u",
  missing,
  async (lab) => {
    const { left, right } = lab;
    await leadOthersAstray(lab);
    await oursNative.start(left, waitingLeft);
    const daemon = startDaemon(right, [
      ...["-D", "-L", "stdout:4", "-d", "tun0", "-e", "right", ...passphrase],
      ...["-n", `${RIGHT}/24`, "-r", left.ipv4, "-u", "nobody", "-C", "/var"],
      ...["--mark", MARK, "--bind-device", "wire"],
    ]);
    await daemon.line(/tunnel is set up/);
    await right.ping(LEFT);
  },
);

labTest(
  "a HUP changes the mark, and is refused where privileges are gone",
  "w-h",
  missing,
  async (lab) => {
    const { left, right } = lab;
    await leadOthersAstray(lab);
    await oursNative.start(left, waitingLeft);
    using folder = new TestFolder();
    const config = folder.file("vpn.yaml");
    const start = async (...lines: string[]) => {
      const write = (mark: string) =>
        Deno.writeTextFileSync(
          config,
          [
            ...["dev: tun0", "role: right", `ifconfig: ${RIGHT}/24`, ...lines],
            ...[`remote-host: ${left.ipv4}`, `mark: ${mark}`, ""],
          ].join("\n"),
        );
      write("0x52");
      const args = ["-D", ...passphrase, "--config", config];
      const daemon = startDaemon(right, args);
      await daemon.line(/tunnel is set up/);
      write(MARK);
      Deno.kill(daemon.pid, "SIGHUP");
      return daemon;
    };
    const privileged = await start();
    await privileged.line(/NOTICE: options that have changed: --mark/);
    await right.ping(LEFT);
    await privileged.stop();
    const user = await start("username: nobody");
    await user.line(
      /ERROR: .*nothing is changed: Cannot change --mark from 82 to 81 \(EPERM/,
    );
    await user.stop();
  },
);
