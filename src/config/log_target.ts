/**
 * The values of `--log` and `--log-format` (CLI section 6).
 *
 * @module
 */
import type { LogLevel } from "../log/level.ts";
import { isSyslogFacility, SYSLOG_FACILITIES } from "../log/syslog_line.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import { OptionFault } from "./fault.ts";
import { BadValue } from "./option.ts";

const DEFAULT_FILE = "anytun.log";
const DEFAULT_FACILITY = "daemon";

/**
 * Reads `<target>:<level>[,<parameter>…]`. Parameters that a target has no
 * use for are ignored, as in the original.
 *
 * @throws {BadValue} with the offsets of the original for its syntax errors
 */
export function logTarget(text: string): LogTarget {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new BadValue("a target and a level, such as stdout:3", 0);
  }
  const kind = text.slice(0, colon);
  const [, digits = "", junk = "", parameters = ""] =
    /^(\d*)([^,]*),?(.*)$/s.exec(text.slice(colon + 1)) ?? [];
  if (digits === "" || junk !== "") {
    const expected = "a level from 0 (nothing) to 5 (debug) after the colon";
    throw new BadValue(expected, colon + 1 + digits.length);
  }
  const level = Math.min(Number(digits), 5) as LogLevel;
  const [first, second] = parameters.split(",");
  switch (kind) {
    case "stdout":
    case "stderr":
      return { kind, level };
    case "file":
      return { kind, level, path: first || DEFAULT_FILE };
    case "syslog":
      return syslogTarget(level, first || undefined, second);
    default:
      throw new BadValue("one of the targets stdout, stderr, file and syslog");
  }
}

function syslogTarget(
  level: LogLevel,
  ident: string | undefined,
  facility: string = DEFAULT_FACILITY,
): LogTarget {
  if (!isSyslogFacility(facility)) {
    const names = SYSLOG_FACILITIES.join(", ");
    throw new BadValue(`one of the syslog facilities ${names}`);
  }
  return { kind: "syslog", level, ident, facility };
}

/**
 * Reads the value of `--log-format`.
 *
 * @throws {BadValue} if it is none
 */
export function logFormat(text: string): LogFormat {
  if (text !== "text" && text !== "json") throw new BadValue("text or json");
  return text;
}

const DEBUG_TARGET: LogTarget = { kind: "stdout", level: 5 };

/**
 * The targets that `--log` and `--debug` come to.
 *
 * @param fallback What is used if none is given
 * @throws {OptionFault} if a target is to take every line twice
 */
export function logTargetsOf(
  { log, debug }: {
    readonly log: readonly LogTarget[];
    readonly debug: boolean;
  },
  fallback: LogTarget,
): readonly LogTarget[] {
  const targets = debug ? [...log, DEBUG_TARGET] : log;
  for (const kind of ["stdout", "stderr", "syslog"]) {
    if (targets.filter((target) => target.kind === kind).length > 1) {
      throw new OptionFault(
        `${kind} logtarget is supported only once (--log` +
          `${debug ? ", --debug" : ""})`,
      );
    }
  }
  return targets.length === 0 ? [fallback] : targets;
}
