import assert from "node:assert/strict";
import { CAP } from "../../../ffi/flags.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import {
  anytunLimits,
  controldLimits,
  limitDaemon,
  type StartLimits,
  type StartSurroundings,
} from "../../../src/daemon/start_limits.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };
const NOTHING: StartSurroundings = {
  stateDirectory: undefined,
  runtimeDirectory: undefined,
  firstFreePort: 1024,
  isOthers: () => false,
};

function ofAnytun(
  argv: readonly string[],
  surroundings = NOTHING,
): StartLimits | undefined {
  const line = ["-E", "x", ...argv];
  const result = readAnytunCommandLine(line, RUNTIME, fakeHostFiles());
  assert.equal(result.kind, "run");
  return anytunLimits(result.options, surroundings);
}

function ofControld(...argv: string[]): StartLimits {
  const line = ["-f", "clients", ...argv];
  const result = readControldCommandLine(line, RUNTIME, fakeHostFiles());
  assert.equal(result.kind, "run");
  return controldLimits(result.options, NOTHING);
}

const SOURCE = "https://192.0.2.7/anytun";

Deno.test("a control daemon with a store has a folder for its clients, and otherwise none", () => {
  const limits = (...argv: string[]) => {
    const line = readControldCommandLine(argv, RUNTIME, fakeHostFiles());
    assert.equal(line.kind, "run");
    return controldLimits(line.options, NOTHING);
  };
  assert.equal(ofControld().stateFolder, undefined);
  const folder = "/var/lib/anytun-controld";
  const kept = limits("--source", SOURCE);
  assert.equal(kept.stateFolder, folder);
  assert.deepEqual(kept.places.written, [folder]);
  assert.deepEqual(names(kept), ["DAC_READ_SEARCH"]);
  const none = limits("--source", SOURCE, "--state-dir", "none");
  assert.equal(none.stateFolder, undefined);
  const named = limits("--source", SOURCE, "--state-dir", "/srv/fleet");
  assert.deepEqual(named.places.written, ["/srv/fleet"]);
});

function names(limits: StartLimits | undefined): readonly string[] {
  const capabilities = limits?.capabilities ?? [];
  return Object.entries(CAP).filter(([, number]) =>
    capabilities.includes(number)
  ).map(([name]) => name);
}

const FILES = ["DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER"];

Deno.test("a tunnel keeps the capability for its device, and to read files", () => {
  const needed = ["DAC_READ_SEARCH", "NET_ADMIN"];
  assert.deepEqual(names(ofAnytun([])), needed);
  assert.deepEqual(names(ofAnytun(["-p", "0"])), needed);
  assert.deepEqual(names(ofControld()), ["DAC_READ_SEARCH"]);
});

Deno.test("files and sockets that may be somebody else's keep the capabilities for them", () => {
  for (
    const argv of [
      ["-L", "file:3,/var/log/x"],
      ["-P", "/run/x.pid"],
      ["--state-dir", "/srv/state"],
      ["-S", "unix:/run/x"],
      ["-X", "unix:/run/x"],
      ["--status-socket", "/run/x"],
    ]
  ) {
    assert.deepEqual(names(ofAnytun(argv)), [...FILES, "NET_ADMIN"], argv[0]);
  }
  assert.deepEqual(names(ofControld("-X", "unix:/run/x")), FILES);
});

Deno.test("a folder of sockets that is another user's keeps the capabilities for it", () => {
  const isOthers = (folder: string) => folder === "/run/anytun";
  const packaged = { ...NOTHING, isOthers };
  const needed = [...FILES, "NET_ADMIN"];
  assert.deepEqual(names(ofAnytun([], packaged)), needed);
  const off = ["--status-socket", "off"];
  assert.ok(!names(ofAnytun(off, packaged)).includes("DAC_OVERRIDE"));
});

Deno.test("a device to bind to, and another namespace, keep the capability for it", () => {
  const argv = ["--bind-device", "eth0"];
  assert.ok(names(ofAnytun(argv)).includes("NET_RAW"));
  assert.ok(names(ofAnytun(["--netns", "blue"])).includes("SYS_ADMIN"));
  assert.ok(!names(ofAnytun(["--mark", "7"])).includes("NET_RAW"));
});

Deno.test("low ports, another user and a jail keep the capabilities for them", () => {
  const low = "NET_BIND_SERVICE";
  assert.ok(names(ofAnytun(["-p", "53"])).includes(low));
  assert.ok(names(ofAnytun(["-S", "1023"])).includes(low));
  assert.ok(names(ofAnytun(["--metrics", "80"])).includes(low));
  assert.ok(names(ofControld("-X", "127.0.0.1:22")).includes(low));
  assert.ok(!names(ofControld("-X", "127.0.0.1:2323")).includes(low));
  const strict = { ...NOTHING, firstFreePort: 5000 };
  assert.ok(names(ofAnytun([], strict)).includes(low));
  const user = ["CHOWN", ...FILES, "SETGID", "SETUID", "NET_ADMIN"];
  assert.deepEqual(names(ofAnytun(["-u", "nobody"])), user);
  assert.deepEqual(
    names(ofAnytun(["-C", "/srv/jail"])),
    ["DAC_READ_SEARCH", "NET_ADMIN", "SYS_CHROOT"],
  );
});

Deno.test("a daemon in the background writes where its options say, and nowhere else", () => {
  const limits = ofAnytun([
    ...["-L", "file:3,log/x", "-P", "/run/x.pid", "-S", "unix:/run/a/x"],
  ]);
  assert.deepEqual(limits?.places, {
    appended: ["log/"],
    written: ["/run/", "/run/a/", "/var/lib/anytun", "/run/anytun"],
    devices: ["/dev/null", "/dev/net/tun"],
  });
  assert.equal(limits?.stateFolder, "/var/lib/anytun");
  const none = ofAnytun(["--state-dir", "none", "--status-socket", "off"]);
  assert.deepEqual(none?.places.written, []);
  assert.equal(none?.stateFolder, undefined);
  assert.equal(none?.runFolder, undefined);
  const managed = {
    ...NOTHING,
    stateDirectory: "/srv/managed",
    runtimeDirectory: "/run/managed",
  };
  assert.equal(ofAnytun([], managed)?.stateFolder, "/srv/managed");
  assert.equal(ofAnytun([], managed)?.runFolder, "/run/managed");
  const named = ofAnytun(["--status-socket", "/run/s/socket"], managed);
  assert.equal(named?.runFolder, undefined);
  assert.ok(named?.places.written.includes("/run/s/"));
  assert.deepEqual(ofControld("-P", "pid").places, {
    ...{ appended: [], written: ["."], devices: ["/dev/null"] },
  });
});

Deno.test("a daemon with a post-up script has no limits that the script would inherit", () => {
  assert.equal(ofAnytun(["-x", "/etc/up"]), undefined);
});

Deno.test("a program that does not come from files has no limits, as its runtime writes what it loads", () => {
  const libc = openProcessLibc();
  const called: string[] = [];
  const process = new Proxy(libc.process, {
    get: (_, name) => () => called.push(String(name)),
  });
  const limits = ofControld();
  const url = "https://example.org/main.ts";
  assert.equal(limitDaemon({ ...libc, process }, limits, url), false);
  assert.deepEqual(called, []);
  libc.close();
});
