/**
 * What the rest of the house knows about logging.
 *
 * @module
 */

/**
 * Takes one line of text per call, on the five levels of the original
 * (CLI section 6). Whoever implements it escapes control characters, so a
 * text may hold what came from outside.
 */
export interface Logger {
  /** Level 1: something failed. */
  error(text: string): void;
  /** Level 2: it works, but somebody should look at it. */
  warning(text: string): void;
  /** Level 3: what an operator wants to know of a normal run. */
  notice(text: string): void;
  /** Level 4: details of a normal run. */
  info(text: string): void;
  /** Level 5: for finding faults. */
  debug(text: string): void;
}
