/**
 * Those who wait for a daemon's start to come to an end.
 *
 * @module
 */

/** Whoever has started the daemon. One of the methods is called, once. */
export interface Launcher {
  /** Everything is set up. */
  ready(): void;
  /** @param text What is to be said about it, without a line end */
  failed(text: string): void;
}

/** Said by a daemon in the background that is ready. */
export const READY = "ready\n";

/** The launcher of a program in the foreground sees its end by itself. */
export function foregroundLauncher(
  stderr: { writeSync(bytes: Uint8Array): number },
): Launcher {
  return {
    ready() {},
    failed: (text) => {
      stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    },
  };
}
