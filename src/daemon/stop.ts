// Work that the end of a daemon interrupts.
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/** @returns undefined if the daemon was stopped before the work was done */
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
