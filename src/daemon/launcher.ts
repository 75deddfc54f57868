/**
 * Those who wait for a daemon's start to come to an end.
 *
 * @module
 */

/** Whoever has started the daemon, and waits until it is ready or has failed. */
export interface Launcher {
  /** @param text What makes the start take longer, without a line end */
  waiting(text: string): void;
  /** Everything is set up. */
  ready(): void;
  /** @param text What is to be said about it, without a line end */
  failed(text: string): void;
}

/** In the foreground the log tells the rest. */
export function foregroundLauncher(
  stderr: { writeSync(bytes: Uint8Array): number },
): Launcher {
  return {
    waiting() {},
    ready() {},
    failed: (text) => {
      stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    },
  };
}
