import assert from "node:assert/strict";
import type { Phase } from "../../../src/daemon/lifecycle.ts";
import { Supervisor } from "../../../src/daemon/supervisor.ts";
import type { NotifySocket } from "../../../src/daemon/world.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

/** What a service manager is told, at 12 s after the start. */
function supervising(socket: Partial<NotifySocket> = {}) {
  const sent: string[] = [];
  const logger = recordingLog();
  const send = (text: string) => void sent.push(text);
  const supervisor = new Supervisor(
    { send, watchdogMs: undefined, ...socket },
    { pid: 4711, monotonic: () => 12_000_000 },
    logger,
    { hanging: () => undefined },
  );
  return { sent, lines: logger.lines, supervisor };
}

/** The same of phases alone. */
function told(
  phases: readonly Phase[],
  socket: Partial<NotifySocket> = {},
): { readonly sent: string[]; readonly lines: readonly string[] } {
  const { supervisor, ...rest } = supervising(socket);
  using _ = supervisor;
  for (const phase of phases) supervisor.changed(phase);
  return rest;
}

Deno.test("a service manager is told of every phase in its own words", () => {
  const { sent, lines } = told([
    { kind: "starting", what: "device and sockets" },
    { kind: "ready" },
    { kind: "reloading" },
    { kind: "ready" },
    { kind: "ready", refusal: "no\nkey" },
    { kind: "draining" },
    { kind: "stopping" },
    { kind: "failed", reason: "the device\nis gone" },
  ]);
  assert.deepEqual(sent, [
    "STATUS=starting: device and sockets",
    "READY=1\nMAINPID=4711\nSTATUS=running",
    // sd_notify(3): both in one message.
    "RELOADING=1\nMONOTONIC_USEC=12000000\nSTATUS=reloading",
    "READY=1\nMAINPID=4711\nSTATUS=running",
    "READY=1\nMAINPID=4711\n" +
    "STATUS=running; the last reload was refused: no key",
    "STOPPING=1\nSTATUS=draining",
    "STATUS=stopping",
    "STATUS=failed: the device is gone",
  ]);
  assert.deepEqual(lines, []);
});

Deno.test("a service manager shows what a daemon that runs says of itself, and nothing of it else", () => {
  const { sent, supervisor } = supervising();
  using _ = supervisor;
  supervisor.detail("fit");
  assert.deepEqual(sent, [], "it has not started yet");
  supervisor.changed({ kind: "ready", refusal: "no key" });
  supervisor.detail("unfit: a\nb");
  supervisor.changed({ kind: "draining" });
  supervisor.detail("draining");
  assert.deepEqual(sent, [
    "READY=1\nMAINPID=4711\n" +
    "STATUS=running; fit; the last reload was refused: no key",
    "STATUS=running; unfit: a b; the last reload was refused: no key",
    "STOPPING=1\nSTATUS=draining",
  ]);
});

Deno.test("a service manager that hears no long messages is told that a daemon is ready, whatever is wrong", () => {
  const { sent, supervisor } = supervising();
  using _ = supervisor;
  supervisor.detail(`starting: ${"…, ".repeat(3000)}`);
  supervisor.changed({ kind: "ready", refusal: "日".repeat(3000) });
  const [ready = ""] = sent;
  assert.match(ready, /^READY=1\nMAINPID=4711\nSTATUS=running; starting: …, /);
  assert.match(ready, /…; the last reload was refused: 日+…$/);
  assert.ok(new TextEncoder().encode(ready).length < 4096);
});

Deno.test("a service manager leaves an end the time that it takes", () => {
  const { sent } = told([{ kind: "draining", takes: 90_000 }]);
  assert.deepEqual(sent, [
    "STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000\nSTATUS=draining",
  ]);
});

Deno.test("a service manager that has gone is a warning, no more", () => {
  const send = () => {
    throw new Error("Connection refused");
  };
  const { lines } = told([{ kind: "ready" }], { send });
  assert.deepEqual(lines, [
    "WARNING: Cannot notify the service manager: Connection refused",
  ]);
});

Deno.test("the watchdog hears nothing while a service hangs, and the log why", async () => {
  const sent: string[] = [];
  const logger = recordingLog();
  let hanging: string | undefined = "data plane";
  const looked = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  let looks = 0;
  using supervisor = new Supervisor(
    {
      send(text) {
        sent.push(text);
        if (text === "WATCHDOG=1") heard.resolve();
      },
      watchdogMs: 2,
    },
    { pid: 1, monotonic: () => 0 },
    logger,
    {
      hanging() {
        if (++looks === 3) looked.resolve();
        return hanging;
      },
    },
  );
  supervisor.changed({ kind: "ready" });
  await looked.promise;
  assert.equal(sent.includes("WATCHDOG=1"), false);
  assert.deepEqual(logger.lines, [
    "ERROR: the data plane hangs: the watchdog of the service manager is to " +
    "end this",
  ]);
  hanging = undefined;
  await heard.promise;
});

Deno.test("without a service manager nobody is told anything", () => {
  const logger = recordingLog();
  const world = {
    pid: 1,
    monotonic: () => assert.fail("nobody asks for the time"),
  };
  using supervisor = new Supervisor(undefined, world, logger, {
    hanging: () => undefined,
  });
  supervisor.changed({ kind: "starting", what: "x" });
  supervisor.changed({ kind: "ready" });
  supervisor.changed({ kind: "stopping" });
  assert.deepEqual(logger.lines, []);
});
