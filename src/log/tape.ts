// Levels and logger on LogTape.
import {
  getLogger,
  type LogLevel as TapeLevel,
  type LogRecord,
} from "@logtape/logtape";
import type { LevelName, LogLevel } from "./level.ts";
import type { LogFields, Logger } from "./logger.ts";

export const CATEGORY = "anytun";

/**
 * LogTape has five levels as well, but no NOTICE: each level of the original
 * takes the next one, so that comparing them keeps its meaning.
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

export function levelOf(record: LogRecord): LevelName {
  return LEVEL_NAMES[record.level];
}

export function tapeLevelFor(level: LogLevel): TapeLevel | null {
  const levels = [null, "error", "warning", "info", "debug", "trace"] as const;
  return levels[level];
}

/**
 * As long as nobody has configured LogTape the lines go nowhere, which suits a
 * library.
 * @param now Milliseconds since 1970
 */
export function tapeLogger(now: () => number): Logger {
  const logger = getLogger(CATEGORY);
  // emit() and not info(): that would replace {…} within the text.
  const at = (level: TapeLevel) => (text: string, fields?: LogFields): void =>
    logger.emit({
      level,
      message: [text],
      rawMessage: text,
      timestamp: now(),
      properties: fields ?? {},
    });
  return {
    error: at(TAPE_LEVELS.error),
    warning: at(TAPE_LEVELS.warning),
    notice: at(TAPE_LEVELS.notice),
    info: at(TAPE_LEVELS.info),
    debug: at(TAPE_LEVELS.debug),
  };
}
