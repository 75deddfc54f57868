/**
 * Work that the end of a daemon interrupts.
 *
 * @module
 */

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/**
 * Waits for work, but not any longer when the daemon is told to stop.
 *
 * @returns undefined if it was
 * @throws what the work throws of its own
 */
export async function unlessStopped<T>(
  work: Promise<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  try {
    return await Promise.race([work, aborted(stop).then(() => undefined)]);
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}
