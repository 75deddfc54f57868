// Lines of the log, as the targets get them from LogTape.
import type { LogRecord, Sink } from "@logtape/logtape";
import { LEVEL_NUMBERS, type LevelName } from "./level.ts";
import { formatJsonLine, formatLine, formatUndated } from "./line.ts";
import type { LogFields } from "./logger.ts";
import type { LogSurroundings, Outlet } from "./outlet.ts";
import { formatSyslogLine, SEVERITIES } from "./syslog_line.ts";
import { CATEGORY, levelOf } from "./tape.ts";
import type { LogFormat, LogTarget } from "./target.ts";

type Line = (
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

/**
 * A target that fails says so once, on the other targets and by way of LogTape,
 * until it works again: a full disk must not double every line. Then it tells
 * how many lines it lacks.
 */
export function sinkOf(
  { level }: LogTarget,
  line: Line,
  outlet: Outlet,
): Sink {
  const encoder = new TextEncoder();
  let lost = 0;
  return (record) => {
    const name = levelOf(record);
    if (LEVEL_NUMBERS[name] > level) return;
    const when = new Date(record.timestamp);
    const write = (name: LevelName, text: string, fields?: LogFields) =>
      outlet.write(encoder.encode(line(when, name, text, fields)));
    try {
      if (lost > 0) write("warning", `lines missing here: ${lost}`);
      lost = 0;
      write(name, textOf(record), fieldsOf(record));
    } catch (error) {
      if (++lost === 1) throw error;
    }
  };
}

/** Also of LogTape's own about a sink that threw. */
function textOf({ category, message, properties }: LogRecord): string {
  if (category[0] === CATEGORY) return String(message[0]);
  const { error } = properties;
  const reason = error instanceof Error ? error.message : String(message[0]);
  return `a log target failed: ${reason}`;
}

/** Ours alone: those of LogTape hold what was thrown. */
function fieldsOf({ category, properties }: LogRecord): LogFields | undefined {
  return category[0] === CATEGORY ? properties as LogFields : undefined;
}
