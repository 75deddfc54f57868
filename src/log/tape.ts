/**
 * The levels and the logger of the house on LogTape.
 *
 * @module
 */
import {
  getLogger,
  type LogLevel as TapeLevel,
  type LogRecord,
} from "@logtape/logtape";
import type { LevelName, LogLevel } from "./level.ts";
import type { Logger } from "./logger.ts";

/** The category of everything that this program logs. */
export const CATEGORY = "anytun";

/**
 * LogTape has no NOTICE, but five levels in the same order: each level of the
 * original takes the next one, so that comparing them keeps its meaning.
 */
const TAPE_LEVELS: Readonly<Record<LevelName, TapeLevel>> = {
  error: "error",
  warning: "warning",
  notice: "info",
  info: "debug",
  debug: "trace",
};

const LEVEL_NAMES: Readonly<Record<TapeLevel, LevelName>> = {
  fatal: "error",
  error: "error",
  warning: "warning",
  info: "notice",
  debug: "info",
  trace: "debug",
};

/** The level of a LogTape record, in the terms of the original. */
export function levelOf(record: LogRecord): LevelName {
  return LEVEL_NAMES[record.level];
}

/** The lowest LogTape level that a target with the given level takes. */
export function tapeLevelFor(level: LogLevel): TapeLevel | null {
  const levels = [null, "error", "warning", "info", "debug", "trace"] as const;
  return levels[level];
}

/**
 * A logger that passes its lines to LogTape. As long as nobody has configured
 * LogTape they go nowhere, which suits a library.
 *
 * @param now Milliseconds since 1970, for the time in the line
 */
export function tapeLogger(now: () => number): Logger {
  const logger = getLogger(CATEGORY);
  // emit() and not info(): that would replace {…} within the text.
  const at = (level: TapeLevel) => (text: string): void =>
    logger.emit({
      level,
      message: [text],
      rawMessage: text,
      timestamp: now(),
      properties: {},
    });
  return {
    error: at(TAPE_LEVELS.error),
    warning: at(TAPE_LEVELS.warning),
    notice: at(TAPE_LEVELS.notice),
    info: at(TAPE_LEVELS.info),
    debug: at(TAPE_LEVELS.debug),
  };
}
