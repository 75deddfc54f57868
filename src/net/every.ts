// Work that comes back. Each new timer enters the runtime's table of timers, and
// old tables keep what was in later ones until a full collection, which a
// daemon that allocates little never has: one timer serves for all times.

/**
 * Works each so many milliseconds until it is to stop.
 * @returns Rejects with what the work throws, which ends it
 */
export function every(
  ms: number,
  work: () => void,
  stop: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (stop.aborted) {
    resolve();
    return promise;
  }
  const end = () => {
    clearInterval(timer);
    stop.removeEventListener("abort", abort);
  };
  const abort = () => {
    end();
    resolve();
  };
  const timer = setInterval(() => {
    try {
      work();
    } catch (error) {
      end();
      reject(error);
    }
  }, ms);
  stop.addEventListener("abort", abort);
  return promise;
}

export type Every = typeof every;
