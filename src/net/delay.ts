// Delay that a signal ends. That of `node:timers` loads much of Node.

/** Rejects when the signal is aborted. */
export type Delay = (ms: number, signal?: AbortSignal) => Promise<unknown>;

/** See {@linkcode Delay}. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  const abort = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", abort);
    resolve();
  }, ms);
  signal?.addEventListener("abort", abort, { once: true });
  return promise;
}
