/**
 * The levels of the original (CLI section 6).
 *
 * @module
 */
import type { Logger } from "./logger.ts";

/** A level as a method of {@linkcode Logger}. */
export type LevelName = keyof Logger;

/**
 * How much a target takes: nothing (0), or everything up to ERROR (1),
 * WARNING (2), NOTICE (3), INFO (4), DEBUG (5).
 */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5;

/** The number of each level: a target takes it if its own is not below. */
export const LEVEL_NUMBERS: Readonly<Record<LevelName, LogLevel>> = {
  error: 1,
  warning: 2,
  notice: 3,
  info: 4,
  debug: 5,
};
