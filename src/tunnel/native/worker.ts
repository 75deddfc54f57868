// Worker of the native plane. After its setup it never returns to the event
// loop.
/// <reference lib="deno.worker" />
import { SteadyClock } from "../../../ffi/clock.ts";
import { openLibc } from "../../../ffi/libc.ts";
import { interfaceName } from "../../../ffi/net/interface_name.ts";
import type { LevelName } from "../../log/level.ts";
import type { LogFields, Logger } from "../../log/logger.ts";
import { reasonOf } from "../../log/reason.ts";
import { engineMaker } from "../engine_maker.ts";
import { assemble } from "./assemble.ts";
import type { WorkerMessage, WorkerSetup } from "./messages.ts";
import { FLUSH_MS } from "../../log/rate_limited_log.ts";
import { PlaneLog } from "../plane_log.ts";
import type { RefusedDatagram } from "../refused_samples.ts";
import { openWarmUp } from "./warm_up.ts";

function carry(setup: WorkerSetup): void {
  const libc = openLibc();
  const clock = new SteadyClock(libc, Date.now());
  const now = () => clock.now();
  const newEngine = engineMaker(setup.engine, now);
  using idle = openWarmUp(setup, { libc, newEngine, now });
  const nameOf = (index: number) => interfaceName(libc, index);
  const log = new PlaneLog(postingLogger(), now, setup.settings, nameOf);
  const moved = (mux: number) => post({ kind: "moved", mux });
  const refused = (refused: RefusedDatagram) =>
    post({ kind: "refused", refused });
  const loop = assemble(setup, {
    ...{ libc, newEngine, now, log, moved, refused, idle },
    maxRest: FLUSH_MS,
  });
  const stop = new Int32Array(setup.stop);
  post({ kind: "ready" });
  const rounds = new Uint32Array(setup.rounds);
  while (Atomics.load(stop, 0) === 0) {
    loop.round();
    rounds[0] = (rounds[0] ?? 0) + 1;
  }
  log.flush();
}

function postingLogger(): Logger {
  const log = (level: LevelName) => (text: string, fields?: LogFields) =>
    post({ kind: "log", level, text, fields });
  return {
    error: log("error"),
    warning: log("warning"),
    notice: log("notice"),
    info: log("info"),
    debug: log("debug"),
  };
}

function post(message: WorkerMessage): void {
  self.postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<WorkerSetup>) => {
  try {
    carry(data);
    post({ kind: "stopped" });
  } catch (error) {
    // At once, without the detour over the main thread: half a plane is none.
    Atomics.store(new Int32Array(data.stop), 0, 1);
    post({ kind: "failed", reason: reasonOf(error) });
  }
  self.close();
};
post({ kind: "loaded" });
