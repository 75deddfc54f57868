/**
 * Options about the log (CLI section 6).
 *
 * @module
 */
import { logFormat, logTarget } from "../log_target.ts";
import type { LogTarget } from "../../log/target.ts";
import { type Repeated, repeated, withDefault } from "../option.ts";

/**
 * `-L`.
 *
 * @param defaults What is logged to without it, for the help text
 */
export function logRow(defaults: string): Repeated<LogTarget> {
  return repeated({
    group: "Running",
    short: "-L",
    long: "--log",
    argument: "target:level",
    parse: logTarget,
    help: "log to stdout, stderr, file or syslog, the latter two as " +
      "file:level,path and syslog:level,ident,facility; levels are 0 off, " +
      "1 error, 2 warning, 3 notice, 4 info, 5 debug; may be given several " +
      `times (default ${defaults})`,
  });
}

/** How log lines look, except for syslog. */
export const logFormatRow = withDefault({
  group: "Running",
  long: "--log-format",
  argument: "format",
  parse: logFormat,
  default: "text",
  help: "text lines as the original writes them, or one json object a line; " +
    "syslog has its own format",
});
