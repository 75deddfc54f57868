/**
 * Options as a program reads them when it starts.
 *
 * @module
 */
import type { Reading } from "../src/config/reading.ts";

/** Of options that come from nowhere. */
export function firstReading<O>(options: O): Reading<O> {
  const changed = { live: [], waiting: [] };
  return { options, warnings: [], values: {}, changed };
}
