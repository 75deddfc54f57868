// Lines as each target of a log has them.
import type { LevelName } from "./level.ts";
import { formatJsonLine, formatLine, formatUndated } from "./line.ts";
import type { LogFields } from "./logger.ts";
import type { LogSurroundings } from "./outlet.ts";
import { formatSyslogLine, SEVERITIES } from "./syslog_line.ts";
import type { LogFormat, LogTarget } from "./target.ts";

export type Line = (
  when: Date,
  level: LevelName,
  text: string,
  fields?: LogFields,
) => string;

interface LineStyle {
  readonly program: string;
  readonly format: LogFormat;
}

const LINES: Readonly<Record<LogFormat, Line>> = {
  text: formatLine,
  json: formatJsonLine,
};

/** How a target has its lines. */
export function lineOf(
  target: LogTarget,
  { program, format }: LineStyle,
  surroundings: LogSurroundings,
): Line {
  return target.kind === "syslog"
    ? syslogLine(target, program, surroundings.pid)
    : streamLine(target, format, surroundings);
}

/**
 * The journal takes the priority of a line from its head, sd-daemon(3), and has
 * the time of each beside it.
 */
function streamLine(
  { kind }: LogTarget,
  format: LogFormat,
  { journalStreams = [] }: LogSurroundings,
): Line {
  if (!journalStreams.some((stream) => stream === kind)) return LINES[format];
  const line = format === "text" ? formatUndated : LINES[format];
  return (when, level, ...rest) =>
    `<${SEVERITIES[level]}>${line(when, level, ...rest)}`;
}

function syslogLine(
  target: Extract<LogTarget, { kind: "syslog" }>,
  program: string,
  pid: number,
): Line {
  const { facility, ident = program } = target;
  return (when, level, text) =>
    formatSyslogLine({ facility, ident, pid }, when, level, text);
}
