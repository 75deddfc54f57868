/**
 * Whoever has started a daemon, and waits for the end of its start.
 *
 * @module
 */
import type { LifecycleListener } from "./lifecycle.ts";

/** Hears of the phases of the start. */
export interface Launcher extends LifecycleListener {
  /** @param text For people, without a line end */
  say(text: string): void;
  /** Whether whoever it is reads the standard error of the daemon. */
  readonly readsStderr: boolean;
  /** @param text Why the daemon cannot go on, without a line end */
  failed(text: string): void;
}

/** In the foreground the log tells the rest. */
export function foregroundLauncher(
  stderr: { writeSync(bytes: Uint8Array): number },
): Launcher {
  return {
    readsStderr: true,
    changed() {},
    say() {},
    failed: (text) => {
      stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    },
  };
}
