/**
 * From Deno 2.9.2 on, the runtime answers SIGUSR1 by opening its inspector to
 * every local user. None of our programs may let it.
 */
import assert from "node:assert/strict";
import {
  lineIn,
  ProcView,
  runDaemon,
  startDaemon,
  TestFolder,
} from "../../lab/daemons.ts";
import type { LabHost } from "../../lab/host.ts";
import { labTest } from "../../lab/test_case.ts";
import { OUR_PROGRAMS, type OurProgram } from "../../lab/programs.ts";
import { until } from "../../lab/until.ts";

/** The runtime takes the signal half a second after its start. */
const TAKEN_BY_SECONDS = 1.5;
/** As in the second line of SigIgn: bit 9. */
const SIGUSR1_BIT = 1n << 9n;
const LISTEN = "0A";

/** Where a process listens for TCP: addresses in hexadecimal. */
function listening(view: ProcView): readonly string[] {
  const own = new Set(view.links("fd").map(([, path]) => path));
  return ["net/tcp", "net/tcp6"].flatMap((name) => {
    const rows = view.text(name).split("\n").slice(1)
      .map((row) => row.trim().split(/\s+/));
    return rows
      .filter(([, , , state, , , , , , inode]) =>
        state === LISTEN && own.has(`socket:[${inode}]`)
      )
      .map(([, address = ""]) => address);
  }).sort();
}

/**
 * Sends SIGUSR1 to a process when the runtime would have taken it.
 *
 * @param turn Resolves when the main thread has done something else since
 */
async function provoke(
  view: ProcView,
  turn: () => Promise<unknown>,
): Promise<void> {
  await until(
    `process ${view.pid} is old enough`,
    10,
    () => view.age() > TAKEN_BY_SECONDS,
  );
  // A busy host may take longer to come to the program's first line.
  await until(
    `process ${view.pid} ignores SIGUSR1`,
    30,
    () => ignoresSigusr1(view),
  );
  const before = listening(view);
  view.kill("SIGUSR1");
  await turn();
  assert.deepEqual(listening(view), before, "listens where it did not before");
  assert.ok(ignoresSigusr1(view), "the kernel drops the signal");
}

function ignoresSigusr1(view: ProcView): boolean {
  const ignored = BigInt(`0x${view.status("SigIgn")[0]}`);
  return (ignored & SIGUSR1_BIT) !== 0n;
}

const TUNNEL = ["-d", "tun7", "-E", "x", "-n", "10.99.0.1/24"];

/** A control daemon that serves nothing, on this host alone. */
function controldOptions(folder: TestFolder): readonly string[] {
  const file = folder.file("records");
  Deno.writeTextFileSync(file, "");
  return ["controld", "-f", file, "-X", "127.0.0.1:2323"];
}

/** Runs a daemon in the background, and has SIGUSR1 and SIGUSR2 sent to it. */
async function inBackground(
  host: LabHost,
  program: OurProgram,
  options: (folder: TestFolder) => readonly string[],
  report: RegExp,
): Promise<void> {
  using folder = new TestFolder();
  const [log, pidFile] = [folder.file("log"), folder.file("pid")];
  const end = await runDaemon(host, [
    ...options(folder),
    ...["-L", `file:3,${log}`, "-P", pidFile],
  ], { program });
  assert.deepEqual(end, { code: 0, text: "" });
  const daemon = ProcView.fromPidFile(pidFile);
  try {
    await provoke(daemon, async () => {
      daemon.kill("SIGUSR2");
      await lineIn(log, /SIG-Usr2 caught/);
    });
    await lineIn(log, report);
  } finally {
    daemon.kill("SIGTERM");
    await daemon.ended();
  }
}

for (const program of OUR_PROGRAMS) {
  const { name, letter, missing } = program;

  for (const [index, plane] of ["native", "portable"].entries()) {
    labTest(
      `SIGUSR1 opens nothing in anytun ${name} on the ${plane} plane`,
      `d-i${letter}${index}`,
      [missing],
      async ({ left }) => {
        const engine = plane === "native" ? [] : ["--engine", "webcrypto"];
        const options = ["-D", "-L", "stdout:3", ...TUNNEL, ...engine];
        const daemon = startDaemon(left, options, { program });
        await daemon.line(new RegExp(`${plane} data plane`));
        await daemon.line(/tunnel is set up/);
        await provoke(new ProcView(daemon.pid), async () => {
          Deno.kill(daemon.pid, "SIGUSR2");
          await daemon.line(/SIG-Usr2 caught/);
        });
        await daemon.line(/NOTICE: connection 0: 0 packets out/);
        assert.equal((await daemon.stop()).code, 0);
      },
    );
  }

  labTest(
    `SIGUSR1 opens nothing in anytun ${name} in the background`,
    `d-ib${letter}`,
    [missing],
    ({ left }) =>
      inBackground(left, program, () => TUNNEL, /connection 0: 0 packets/),
  );

  labTest(
    `SIGUSR1 opens nothing in anytun-controld ${name}`,
    `d-ic${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const daemon = startDaemon(left, [
        ...controldOptions(folder),
        ...["-D", "-L", "stdout:3"],
      ], { program });
      await daemon.line(/sync server listening/);
      await provoke(new ProcView(daemon.pid), async () => {
        Deno.kill(daemon.pid, "SIGUSR2");
        await daemon.line(/SIG-Usr2 caught/);
      });
      await daemon.line(/NOTICE: serving 0 records$/);
      assert.equal((await daemon.stop()).code, 0);
    },
  );

  labTest(
    `SIGUSR1 opens nothing in anytun-controld ${name} in the background`,
    `d-id${letter}`,
    [missing],
    ({ left }) =>
      inBackground(left, program, controldOptions, /serving 0 records$/),
  );

  labTest(
    `SIGUSR1 opens nothing in anytun-showtables ${name} that waits for input`,
    `d-is${letter}`,
    [missing],
    async ({ left }) => {
      const tool = startDaemon(left, ["showtables"], { program });
      await provoke(new ProcView(tool.pid), async () => {
        await tool.tell("nonsense");
        await tool.line(/^anytun-showtables: /);
      });
      await tool.closeInput();
      assert.equal((await tool.ended).signal, null);
    },
  );

  labTest(
    `SIGUSR1 opens nothing in anytun ${name} that waits for its background`,
    `d-iw${letter}`,
    [missing],
    async ({ left }) => {
      using folder = new TestFolder();
      const [log, pidFile] = [folder.file("log"), folder.file("pid")];
      const launcher = startDaemon(left, [
        ...TUNNEL,
        ...["-i", "name.invalid", "-L", `file:3,${log}`, "-P", pidFile],
      ], { program });
      await launcher.line(/Cannot resolve 'name\.invalid'/);
      const view = new ProcView(launcher.pid);
      await provoke(view, () => Promise.resolve());
      const [child = ""] = view.text(`task/${view.pid}/children`).split(" ");
      await provoke(new ProcView(Number(child)), async () => {
        Deno.kill(Number(child), "SIGUSR2");
        await lineIn(log, /SIG-Usr2 caught/);
      });
      Deno.kill(Number(child), "SIGTERM");
      assert.equal((await launcher.ended).signal, null);
    },
  );
}
