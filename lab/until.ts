/**
 * Waiting for what a test or a tool cannot be told of.
 *
 * @module
 */

/** The longest pause between two looks, in ms; at first they are shorter. */
const PAUSE_MS = 20;

/**
 * Waits until something holds. Looks follow each other quickly at first, and
 * cost little later on.
 *
 * @param what That it holds, in words; made where it is needed
 * @throws {Error} It did not in time.
 */
export async function until(
  what: string | (() => string | Promise<string>),
  seconds: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const start = performance.now();
  while (!await holds()) {
    const waited = performance.now() - start;
    if (waited > seconds * 1000) {
      const text = typeof what === "string" ? what : await what();
      throw new Error(`Cannot see that ${text}: not within ${seconds} s`);
    }
    const pause = Math.min(PAUSE_MS, waited / 10);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
