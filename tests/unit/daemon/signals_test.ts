import assert from "node:assert/strict";
import {
  listenForSignals,
  type SignalName,
} from "../../../src/daemon/signals.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

Deno.test("every signal is logged and does its own thing", () => {
  const listeners = new Map<SignalName, () => void>();
  const logger = recordingLog();
  const done: string[] = [];
  using cleanup = new DisposableStack();
  listenForSignals(
    (name, listener) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
    logger,
    {
      stop: () => done.push("stop"),
      reload: () => done.push("reload"),
      report: () => done.push("report"),
    },
    cleanup,
  );
  const ends = ["SIGINT", "SIGQUIT", "SIGTERM"] as const;
  for (const name of ["SIGHUP", "SIGUSR2", ...ends] as const) {
    listeners.get(name)?.();
  }
  assert.deepEqual(done, ["reload", "report", "stop", "stop", "stop"]);
  assert.equal(listeners.size, 5, "SIGUSR1 is the runtime's");
  assert.deepEqual(logger.lines, [
    "NOTICE: SIG-Hup caught",
    "NOTICE: SIG-Usr2 caught",
    "NOTICE: SIG-Int caught, exiting",
    "NOTICE: SIG-Quit caught, exiting",
    "NOTICE: SIG-Term caught, exiting",
  ]);
  cleanup.dispose();
  assert.equal(listeners.size, 0);
});
