import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProcView } from "../../lab/daemons.ts";
import { LabProcess } from "../../lab/process.ts";

const PROGRAM = fileURLToPath(
  new URL("../../lab/scripts/background_program.ts", import.meta.url),
);

/** A process that waits for a daemon in the background, and that daemon. */
async function start(startTimeout: number) {
  const parent = new LabProcess({
    title: "background_program.ts",
    program: Deno.execPath(),
    args: ["run", "-A", "--cached-only", PROGRAM, String(startTimeout)],
  });
  const [, pid] = /^pid (\d+)$/.exec(await parent.line(/^pid/, 20)) ?? [];
  return { parent, daemon: new ProcView(Number(pid)) };
}

Deno.test("a start in the background that takes too long goes on by itself", async () => {
  const { parent, daemon } = await start(1);
  const { code } = await parent.ended;
  assert.equal(code, 0);
  assert.deepEqual(parent.lines.slice(1), [
    "test-daemon: not ready after 1 s (--start-timeout), waiting for a key: " +
    "it goes on in the background",
  ]);
  assert.equal(daemon.text("comm"), "test-daemon");
  daemon.kill("SIGTERM");
  await daemon.ended();
});

Deno.test("--start-timeout 0 waits for a start in the background without end", async () => {
  const { parent, daemon } = await start(0);
  const { code } = await parent.stop("SIGTERM");
  assert.equal(code, STATUS.SIGTERM, parent.lines.join("\n"));
  assert.throws(() => daemon.text("comm"), Deno.errors.NotFound);
});

const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends the wait for a daemon, and the daemon`, async () => {
    const { parent, daemon } = await start(600);
    const { code } = await parent.stop(signal);
    assert.equal(code, STATUS[signal]);
    assert.throws(() => daemon.text("comm"), Deno.errors.NotFound);
  });
}
