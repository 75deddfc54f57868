// Options about the log (CLI section 6).
import type { LogLevel } from "../log/level.ts";
import { isSyslogFacility, SYSLOG_FACILITIES } from "../log/syslog_line.ts";
import type { LogFormat, LogTarget } from "../log/target.ts";
import { OptionFault, type Warn } from "./fault.ts";
import {
  BadValue,
  flag,
  type Repeated,
  repeated,
  withDefault,
} from "./option.ts";
import type { Settings } from "./values.ts";

/**
 * `-L`.
 * @param defaults What is logged to without it, for the help text
 */
export function logRow(defaults: string): Repeated<LogTarget> {
  return repeated({
    group: "Running",
    short: "-L",
    long: "--log",
    argument: "target:level",
    parse: logTarget,
    choices: ["stderr:3", "stdout:3", "syslog:3", "file:3"],
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
  choices: ["text", "json"],
  default: "text",
  help: "text lines as the original writes them, or one json object a line; " +
    "syslog has its own format",
});

export const debugRow = flag({
  group: "Running",
  short: "-U",
  long: "--debug",
  help: "the same as -D -L stdout:5",
});

/** Options that say where log lines go. */
type TargetRows = {
  readonly log: Repeated<LogTarget>;
  readonly debug: typeof debugRow;
};

const DEFAULT_FILE = "anytun.log";
const DEFAULT_FACILITY = "daemon";
const DEBUG_TARGET: LogTarget = { kind: "stdout", level: 5 };

/** A terminal or a supervisor that shows or keeps what it is told. */
const FOREGROUND_TARGET: LogTarget = { kind: "stderr", level: 3 };
/** The default of the original (CLI section 2). */
const BACKGROUND_TARGET: LogTarget = {
  kind: "syslog",
  level: 3,
  ident: undefined,
  facility: DEFAULT_FACILITY,
  isDefault: true,
};

/**
 * Reads `<target>:<level>[,<parameter>…]`. Parameters that a target has no
 * use for are ignored, as in the original.
 */
function logTarget(text: string): LogTarget {
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

function logFormat(text: string): LogFormat {
  if (text !== "text" && text !== "json") throw new BadValue("text or json");
  return text;
}

/**
 * The targets that `--log` and `--debug` come to.
 * @param fallback What is used if none is given
 */
export function logTargetsOf(
  { values: { log, debug }, names, origins }: Settings<TargetRows>,
  fallback: LogTarget,
): readonly LogTarget[] {
  const isAbove = origins.debug.kind === "argument" &&
    origins.log.kind === "file";
  const others = isAbove
    ? log.filter(({ kind }) => kind !== DEBUG_TARGET.kind)
    : log;
  const targets = debug ? [...others, DEBUG_TARGET] : log;
  for (const kind of ["stdout", "stderr", "syslog"]) {
    if (targets.filter((target) => target.kind === kind).length > 1) {
      throw new OptionFault(
        `${kind} logtarget is supported only once (${names.log}` +
          `${debug ? `, ${names.debug}` : ""})`,
      );
    }
  }
  return targets.length === 0 ? [fallback] : targets;
}

/**
 * The same for a daemon.
 * @param foreground Whether it keeps its standard streams
 */
export function daemonLogTargetsOf(
  settings: Settings<TargetRows>,
  foreground: boolean,
  warn: Warn,
): readonly LogTarget[] {
  const fallback = foreground ? FOREGROUND_TARGET : BACKGROUND_TARGET;
  const targets = logTargetsOf(settings, fallback);
  for (const { kind } of foreground ? [] : targets) {
    if (kind !== "stdout" && kind !== "stderr") continue;
    const { log } = settings.names;
    warn(`${log} ${kind} has no effect without --nodaemonize (-D)`);
  }
  return targets;
}
