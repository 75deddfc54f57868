// The world of the running program.
import { monotonicMicroseconds } from "../../ffi/clock.ts";
import { effectiveUser } from "../../ffi/process/identity.ts";
import { keepInspectorShut } from "../../ffi/process/inspector.ts";
import { readBootId, workingDirectory } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { sha256Text } from "../crypto/sha256.ts";
import { digestWith } from "../crypto/webcrypto.ts";
import { delay } from "../net/delay.ts";
import { every } from "../net/every.ts";
import { loadLookup, systemLookup } from "../net/system_lookup.ts";
import { choosePlane } from "../tunnel/choose_plane.ts";
import { foregroundParent, type Parent } from "./parent.ts";
import { LocalStreams } from "./local_streams.ts";
import type { OnSignal } from "./signals.ts";
import { systemControl } from "./system_control.ts";
import { systemFiles } from "./system_files.ts";
import { sharedStreams, systemStreams } from "./system_streams.ts";
import type { World } from "./world.ts";

/** @param given Without it, the program is in the foreground */
export function systemWorld(
  libc: ProcessLibc,
  environment: ReadonlyMap<string, string>,
  given?: Parent,
): World {
  // Log files are opened again after the daemon has moved to /.
  const folder = workingDirectory(libc);
  const absolute = (path: string) =>
    path.startsWith("/") ? path : `${folder}/${path}`;
  const streams = systemStreams(libc, environment);
  const local = new LocalStreams(libc);
  const parent = given ??
    foregroundParent(streams.stderr, sharedStreams(libc));
  return {
    ...streams,
    ...systemFiles(libc, absolute),
    ...clocks(libc),
    ...{ delay, every },
    digest: digestWith(crypto.subtle),
    hash: sha256Text,
    random: (words) => void crypto.getRandomValues(words),
    // systemd.exec(5): several are separated by colons.
    stateDirectory: environment.get("STATE_DIRECTORY")?.split(":")[0],
    runtimeDirectory: environment.get("RUNTIME_DIRECTORY")?.split(":")[0],
    bootId: () => readBootId(libc),
    pid: Deno.pid,
    effectiveUser: () => effectiveUser(libc),
    lookup: systemLookup,
    loadLookup,
    runtime: Deno.version,
    listenTcp: (on, isLater) => local.listenTcp(on, isLater),
    connectTcp: (to, signal) => local.connectTcp(to, signal),
    openUnixStreams: () => local.openUnixStreams(),
    openOwners: () => local.openOwners(),
    choosePlane: (settings, logger) => {
      const processors = navigator.hardwareConcurrency;
      return choosePlane(
        settings,
        libc,
        { now: steadyNow, processors },
        logger,
      );
    },
    announcing: async () =>
      (await import("./system_announcing.ts"))
        .systemAnnouncing(libc, environment, absolute),
    onSignal: onSignal(libc),
    control: systemControl(libc, absolute, parent.hasConfinedFiles),
    parent,
  };
}

/** Milliseconds since 1970, by a clock that never goes back. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

function clocks(
  libc: ProcessLibc,
): Pick<World, "elapsed" | "monotonic" | "now" | "steadyNow"> {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    steadyNow,
    monotonic: () => monotonicMicroseconds(libc),
  };
}

function onSignal(libc: ProcessLibc): OnSignal {
  return (name, listener) => {
    Deno.addSignalListener(name, listener);
    // Again, whatever the runtime does for a new listener.
    keepInspectorShut(libc);
    return () => Deno.removeSignalListener(name, listener);
  };
}
