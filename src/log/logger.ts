// The interface of logging.

/**
 * The five levels of the original (CLI section 6). An implementation escapes
 * control characters, so a text may hold what came from outside.
 */
export interface Logger {
  /** Something failed. */
  error(text: string): void;
  /** It works, but somebody should look at it. */
  warning(text: string): void;
  /** Of interest to an operator in a normal run. */
  notice(text: string): void;
  /** Details of a normal run. */
  info(text: string): void;
  /** For debugging. */
  debug(text: string): void;
}
