import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import { labTest } from "../../lab/test_case.ts";
import { asBinary, fromSource, OUR_PROGRAMS } from "../../lab/programs.ts";
import { until } from "../../lab/until.ts";

const TUNNEL = ["-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"];
const NOBODY = 65534;

/**
 * A /dev/net/tun that everybody may open, as udev makes it. `ip netns exec` has
 * given us mounts of our own.
 */
const OPEN_NODE = `
mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200
exec "$@"
`;

/** Regular files that a process could write to, by descriptor or in memory. */
function writableFiles(view: ProcView): readonly string[] {
  const open = view.links("fd").filter(([, path]) => path.startsWith("/"))
    .filter(([fd]) => {
      const [, flags] = /^flags:\s*(\d+)$/m.exec(view.text(`fdinfo/${fd}`)) ??
        [];
      return (parseInt(flags ?? "", 8) & 3) !== 0;
    })
    .map(([, path]) => path);
  // What is mapped to be read, may be mapped to be written.
  const shared = view.text("maps").split("\n")
    .map((line) => /^\S+ ...s \S+ \S+ \d+ +(\/.*)$/.exec(line)?.[1])
    .filter((path) => path !== undefined);
  return [...open, ...shared].filter((path) => !isNobodyElses(path));
}

/** Devices, and memory that has no name for others. */
function isNobodyElses(path: string): boolean {
  return path.startsWith("/dev/") || path.startsWith("/memfd:");
}

/**
 * A cache of the runtime's as it is before a first start: only the packages
 * are there.
 */
function newCache(folder: TestFolder): string {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).outputSync();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const cache = folder.file("cache");
  Deno.mkdirSync(cache);
  const { success } = new Deno.Command("cp", {
    args: ["-r", npmCache, `${cache}/npm`],
  }).outputSync();
  assert.ok(success);
  return cache;
}

for (const start of ["first", "second"]) {
  labTest(
    `from source, at a ${start} start, the code caches of root are out of reach of the user`,
    `d-hc${start[0]}`,
    [],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const env = { DENO_DIR: newCache(folder) };
      if (start === "second") {
        await runDaemon(left, ["--version"], { env });
      }
      const [jail, log] = [folder.file("jail"), folder.file("log")];
      Deno.mkdirSync(jail);
      const daemon = startDaemon(left, [
        ...["-D", "-L", "stdout:3", "-L", `file:4,${log}`, ...TUNNEL],
        ...["-u", "nobody", "-C", jail],
      ], { env });
      await daemon.line(/tunnel is set up/, 30);
      const view = new ProcView(daemon.pid);
      assert.deepEqual(writableFiles(view), [log]);

      const peer = startDaemon(right, [
        ...["-D", "-L", "stdout:3", "-d", "tun7", "-E", "x", "-e", "right"],
        ...["-n", "10.99.0.2/24", "-r", left.ipv4],
      ]);
      await peer.line(/tunnel is set up/);
      await right.ping("10.99.0.1");
      Deno.kill(daemon.pid, "SIGHUP");
      await daemon.line(/SIG-Hup caught/);
      Deno.kill(daemon.pid, "SIGUSR2");
      await lineIn(log, /connection 0: /);
      await right.ping("10.99.0.1");
      // Until it has taken over all that is read again, it has the log twice.
      const open = () => writableFiles(view).join();
      await until(() => `it has ${open()}`, 20, () => open() === log);
      assert.equal((await daemon.stop()).code, 0);
    },
  );
}

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing } = program;

  labTest(
    `no thread of anytun ${name} can execute anything once it is set up`,
    `d-hx${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const done = folder.file("done");
      const script = folder.script("up", `sleep 1; exec touch ${done}`);
      const daemon = startDaemon(left, [
        ...["-D", "-L", "stdout:3", ...TUNNEL],
        ...["-u", "nobody", "-x", script],
      ], { program });
      await daemon.line(/tunnel is set up/);
      const view = new ProcView(daemon.pid);
      const threads = view.threads("NoNewPrivs", "Seccomp", "CapPrm");
      assert.ok(threads.size > 4, "there are threads of the runtime");
      assert.deepEqual([...new Set(threads.values())], [
        `1,2,${"0".repeat(16)}`,
      ]);
      assert.deepEqual(view.status("CapBnd"), ["0".repeat(16)]);
      // The script came before, and keeps what it had.
      await daemon.line(/script '.*\/up' returned 0/);
      assert.ok(Deno.statSync(done).isFile);
    },
  );

  labTest(
    `anytun ${name} takes a key from an inherited descriptor, and closes all of them`,
    `d-hi${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const [key, other] = [folder.file("key"), folder.file("other")];
      Deno.writeTextFileSync(key, "00112233445566778899aabbccddeeff\n");
      Deno.writeTextFileSync(other, "");
      const shell = `exec 7<'${key}' 9>>'${other}'; exec "$@"`;
      const command = ["sh", "-c", shell, "sh", ...program.command];
      const daemon = startDaemon(left, [
        ...["-D", "-L", "stdout:3", "-d", "tun7", "--key-file", "/dev/fd/7"],
        ...["-A", "0011223344556677889900112233"],
      ], { program: { ...program, command } });
      await daemon.line(/tunnel is set up/);
      const open = new ProcView(daemon.pid).links("fd").map(([, path]) => path);
      assert.deepEqual(open.filter((path) => [key, other].includes(path)), []);
    },
  );
}

labTest(
  "as an ordinary user, with a device of its own, anytun works and hides its memory",
  "d-hu",
  [asBinary.missing],
  async ({ left, right }) => {
    using folder = new TestFolder();
    // Where it was built, others may not look.
    const binary = folder.file("anytun");
    Deno.copyFileSync(asBinary.command[0] ?? "", binary);
    const user = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`];
    const own = ["sh", "-c", OPEN_NODE, "sh"];
    const command = [...own, ...user, "--clear-groups", binary];
    await left.ip(
      ...["tuntap", "add", "dev", "tun7", "mode", "tun"],
      ...["user", "nobody"],
    );
    await left.ip("addr", "add", "10.99.0.1/24", "dev", "tun7");
    await left.ip("link", "set", "tun7", "up");
    Deno.chmodSync(folder.path, 0o777);
    const [log, pidFile] = [folder.file("log"), folder.file("pid")];
    const end = await runDaemon(left, [
      ...["-d", "tun7", "-E", "x", "-L", `file:4,${log}`, "-P", pidFile],
    ], { program: { ...asBinary, command } });
    assert.deepEqual(end, { code: 0, text: "" });
    const view = ProcView.fromPidFile(pidFile);
    try {
      assert.equal(view.status("Uid")[0], `${NOBODY}`);
      // proc(5): of a process that leaves no core, files here belong to root.
      const { uid } = Deno.statSync(`/proc/${view.pid}/environ`);
      assert.equal(uid, 0);
      const peer = startDaemon(right, [
        ...["-D", "-L", "stdout:3", "-d", "tun7", "-E", "x", "-e", "right"],
        ...["-n", "10.99.0.2/24", "-r", left.ipv4],
      ], { program: fromSource });
      await peer.line(/tunnel is set up/);
      await right.ping("10.99.0.1");
    } finally {
      view.kill("SIGTERM");
      await view.ended();
    }
  },
);
