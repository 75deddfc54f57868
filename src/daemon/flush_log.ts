/**
 * Lines that a rate limited log has held back.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Delay } from "../net/resolver.ts";
import type { Service } from "./lifecycle.ts";

/** How often it is said how many lines were held back, in ms. */
const FLUSH_MS = 10_000;

/** Says from time to time, and at the end, what is held back. */
export function heldBackLines(log: RateLimitedLog, delay: Delay): Service {
  return {
    name: "lines held back",
    async run(stop) {
      while (!stop.aborted) {
        await delay(FLUSH_MS, stop).catch(() => {});
        log.flush();
      }
    },
  };
}
