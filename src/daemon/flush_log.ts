/**
 * Lines that a log has held back are not to stay unsaid.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Delay } from "../net/resolver.ts";

/** How often it is said how many lines were held back, in ms. */
const FLUSH_MS = 10_000;

/** Says from time to time what is held back, until the signal is aborted. */
export async function keepFlushing(
  log: RateLimitedLog,
  delay: Delay,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(FLUSH_MS, signal).catch(() => {});
    log.flush();
  }
}
