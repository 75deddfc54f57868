// Log levels of the original (CLI section 6).
import type { Logger } from "./logger.ts";

export type LevelName = keyof Logger;

/** Most detailed level of a target: nothing (0), ERROR (1) to DEBUG (5). */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5;

export const LEVEL_NUMBERS: Readonly<Record<LevelName, LogLevel>> = {
  error: 1,
  warning: 2,
  notice: 3,
  info: 4,
  debug: 5,
};
