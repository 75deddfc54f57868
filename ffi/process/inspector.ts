// Protection from the runtime's inspector: from Deno 2.9.2 on, SIGUSR1 makes it
// listen on 127.0.0.1:9229, where every local user may run code in this
// process.

import type { ProcessLibc } from "./libc.ts";

// include/uapi/asm-generic/signal.h, on x86-64 and aarch64
const SIGUSR1 = 10;
const SIG_IGN = 1n;

/** Ignores SIGUSR1 from now on. */
export function keepInspectorShut(libc: ProcessLibc): void {
  // The runtime sets a handler for a signal when it is first listened to, and
  // never again. Its own listening begins half a second after the start: it
  // must not be the first, or its handler would take the place of SIG_IGN.
  const nothing = () => {};
  Deno.addSignalListener("SIGUSR1", nothing);
  Deno.removeSignalListener("SIGUSR1", nothing);
  if (libc.process.signal(SIGUSR1, SIG_IGN) < 0n) {
    throw libc.error("ignore SIGUSR1", "signal");
  }
}
