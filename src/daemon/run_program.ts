/**
 * What the daemons of this binary have in common: the log around a run, and
 * the exit status behind it.
 *
 * @module
 */
import { type Log, openLog } from "../log/log.ts";
import type { LogSurroundings } from "../log/outlet.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import type { Launcher } from "./launcher.ts";

const EXIT_OK = 0;
const EXIT_FAILED = 255;

/** A daemon to be run. */
export interface DaemonProgram {
  readonly name: string;
  readonly options: {
    readonly logTargets: readonly LogTarget[];
    readonly logFormat: LogFormat;
  };
  /** What is legal but unwise in the options. */
  readonly warnings: readonly string[];
  /** Runs until a signal ends it. */
  readonly run: (log: Log) => Promise<void>;
}

/**
 * Opens the log, runs the daemon, and tells why it cannot go on.
 *
 * @returns The exit status
 */
export async function runProgram(
  { name, options, warnings, run }: DaemonProgram,
  world: LogSurroundings & { readonly launcher: Launcher },
): Promise<number> {
  const { logTargets: targets, logFormat: format } = options;
  try {
    using log = openLog({ targets, format, program: name }, world);
    const { logger } = log;
    logger.notice(`${name} started...`);
    for (const warning of warnings) logger.warning(warning);
    try {
      await run(log);
    } catch (error) {
      logger.error(`uncaught runtime error, exiting: ${textOf(error)}`);
      throw error;
    }
    return EXIT_OK;
  } catch (error) {
    world.launcher.failed(`${name}: ${textOf(error)}`);
    return EXIT_FAILED;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
