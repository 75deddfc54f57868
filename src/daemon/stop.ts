/**
 * Work that a signal may end.
 *
 * @module
 */

/**
 * Waits for work that fails when the daemon is told to stop.
 *
 * @returns undefined if it was
 * @throws what the work throws of its own
 */
export async function unlessStopped<T>(
  work: Promise<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}
