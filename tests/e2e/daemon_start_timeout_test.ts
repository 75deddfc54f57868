import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { lineIn, ProcView, TestFolder } from "../../lab/daemons.ts";
import { LabProcess } from "../../lab/process.ts";

const PROGRAM = fileURLToPath(
  new URL("../../lab/scripts/background_program.ts", import.meta.url),
);

/** A process that waits for a daemon in the background, and that daemon. */
async function start(startTimeout: number, folder: TestFolder) {
  const pidFile = folder.file("pid");
  const run = ["run", "-A", "--cached-only", PROGRAM];
  const parent = new LabProcess({
    title: "background_program.ts",
    program: Deno.execPath(),
    args: [...run, String(startTimeout), pidFile],
  });
  await lineIn(pidFile, /^\d+$/, 20);
  return { parent, daemon: ProcView.fromPidFile(pidFile) };
}

Deno.test("a start in the background that takes too long goes on by itself", async () => {
  using folder = new TestFolder();
  const { parent, daemon } = await start(1, folder);
  const { code } = await parent.ended;
  assert.equal(code, 0);
  // On a busy host the daemon has not come that far after a second.
  const reached = parent.lines.includes("no key yet");
  assert.equal(parent.lines.length, reached ? 2 : 1);
  const what = reached ? "a key" : "(its runtime|lock|a key)";
  assert.match(
    parent.lines.at(-1) ?? "",
    new RegExp(
      "^test-daemon: not ready after 1 s \\(--start-timeout\\), " +
        `waiting for ${what}: it goes on in the background$`,
    ),
  );
  assert.equal(daemon.text("comm"), "test-daemon");
  daemon.kill("SIGTERM");
  await daemon.ended();
});

Deno.test("--start-timeout 0 waits for a start in the background without end", async () => {
  using folder = new TestFolder();
  const { parent, daemon } = await start(0, folder);
  const { code } = await parent.stop("SIGTERM");
  assert.equal(code, STATUS.SIGTERM, parent.lines.join("\n"));
  assert.throws(() => daemon.text("comm"), Deno.errors.NotFound);
});

const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends the wait for a daemon, and the daemon`, async () => {
    using folder = new TestFolder();
    const { parent, daemon } = await start(600, folder);
    const { code } = await parent.stop(signal);
    assert.equal(code, STATUS[signal]);
    assert.throws(() => daemon.text("comm"), Deno.errors.NotFound);
  });
}
