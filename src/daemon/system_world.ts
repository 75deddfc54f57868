/**
 * The world as the running program finds it.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { openAppend } from "../../ffi/file.ts";
import type { Libc } from "../../ffi/libc.ts";
import { digestWith } from "../crypto/webcrypto.ts";
import { systemLookup } from "../net/system_lookup.ts";
import { choosePlane } from "./choose_plane.ts";
import type { World } from "./world.ts";

/** Everything real: this process, this host. */
export function systemWorld(libc: Libc): World {
  return {
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    openFile: (path) => openAppend(libc, path),
    now: () => Date.now(),
    delay: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
    lookup: systemLookup,
    digest: digestWith(crypto.subtle),
    choosePlane: (choice, logger) =>
      choosePlane(choice, libc, () => performance.now(), logger),
    onSignal(name, listener) {
      Deno.addSignalListener(name, listener);
      return () => Deno.removeSignalListener(name, listener);
    },
  };
}
