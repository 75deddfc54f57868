// The interface of logging.

/** What a field of a log line may hold. */
export type LogValue =
  | string
  | number
  | boolean
  | undefined
  | Readonly<Record<string, number>>;

/**
 * What a line is about, for programs: as fields of JSON lines. None is called
 * `time`, `level` or `message`; what is undefined is left out.
 */
export type LogFields = Readonly<Record<string, LogValue>>;

/**
 * The five levels of the original (CLI section 6). An implementation escapes
 * control characters, so a text may hold what came from outside.
 */
export interface Logger {
  /** Something failed. */
  error(text: string, fields?: LogFields): void;
  /** It works, but somebody should look at it. */
  warning(text: string, fields?: LogFields): void;
  /** Of interest to an operator in a normal run. */
  notice(text: string, fields?: LogFields): void;
  /** Details of a normal run. */
  info(text: string, fields?: LogFields): void;
  /** For debugging. */
  debug(text: string, fields?: LogFields): void;
}

/** A text, and what it is about. */
export interface LogLine {
  readonly text: string;
  readonly fields?: LogFields;
}
