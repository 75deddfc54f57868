// The log of a running program.
import {
  configureSync,
  type LogRecord,
  resetSync,
  type Sink,
} from "@logtape/logtape";
import { LEVEL_NUMBERS, type LevelName, type LogLevel } from "./level.ts";
import { formatJsonLine, formatLine } from "./line.ts";
import type { LogFields, Logger } from "./logger.ts";
import { type LogSurroundings, Outlet } from "./outlet.ts";
import { reasonOf } from "./reason.ts";
import { CATEGORY, levelOf, tapeLevelFor, tapeLogger } from "./tape.ts";
import { formatSyslogLine } from "./syslog_line.ts";
import type { LogFormat, LogTarget, StreamName } from "./target.ts";

interface LogOptions {
  readonly targets: readonly LogTarget[];
  readonly format: LogFormat;
  readonly program: string;
}

export interface Log extends Disposable {
  readonly logger: Logger;
  /** What is not as the options have it, for the log and others. */
  readonly warnings: readonly string[];
  /** That errors are written to. */
  readonly errorStreams: readonly StreamName[];
  /**
   * Opens every file again that was moved away from its path. One that cannot
   * be opened stays in use, with a warning.
   */
  reopen(): void;
}

/**
 * LogTape has one configuration in a process, so there can be one open log.
 * @throws if a target cannot be opened, or another log is open
 */
export function openLog(
  { targets, format, program }: LogOptions,
  surroundings: LogSurroundings,
): Log {
  const sinks: Record<string, Sink> = {};
  const warnings: string[] = [];
  using opened = new DisposableStack();
  const outlets = targets.map((wanted, index) => {
    const outlet = opened.adopt(
      openOutlet(wanted, surroundings, warnings),
      (outlet) => outlet.close(),
    );
    const { target } = outlet;
    const line = target.kind === "syslog"
      ? syslogLine(target, program, surroundings.pid)
      : LINES[format];
    sinks[`${index} ${target.kind}`] = sinkOf(target.level, line, outlet);
    return outlet;
  });
  configureLogTape(sinks, mostDetailed(targets));
  const files = opened.move();
  const logger = tapeLogger(surroundings.now);
  return {
    logger,
    warnings,
    errorStreams: outlets.flatMap(({ target: { kind, level } }) =>
      (kind === "stdout" || kind === "stderr") && level >= LEVEL_NUMBERS.error
        ? [kind]
        : []
    ),
    reopen() {
      for (const outlet of outlets) reopen(outlet, logger);
    },
    [Symbol.dispose]() {
      resetSync();
      files.dispose();
    },
  };
}

/** A host without a syslog, such as a container, is no reason not to run. */
function openOutlet(
  target: LogTarget,
  surroundings: LogSurroundings,
  warnings: string[],
): Outlet {
  try {
    return new Outlet(target, surroundings);
  } catch (error) {
    if (target.kind !== "syslog" || !target.isDefault) throw error;
    warnings.push(
      `${reasonOf(error)}; logging to the standard error instead, ` +
        "which the background does not have (--log file:3,PATH keeps a log)",
    );
    return new Outlet({ kind: "stderr", level: target.level }, surroundings);
  }
}

function reopen(outlet: Outlet, logger: Logger): void {
  if (outlet.target.kind !== "file") return;
  try {
    outlet.reopen();
  } catch (error) {
    logger.warning(`${reasonOf(error)}; the file opened before stays in use`);
  }
}

type Line = (
  when: Date,
  level: LevelName,
  text: string,
  fields?: LogFields,
) => string;

const LINES: Readonly<Record<LogFormat, Line>> = {
  text: formatLine,
  json: formatJsonLine,
};

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
function sinkOf(level: LogLevel, line: Line, outlet: Outlet): Sink {
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

function configureLogTape(
  sinks: Readonly<Record<string, Sink>>,
  level: LogLevel,
): void {
  const names = Object.keys(sinks);
  configureSync({
    sinks,
    loggers: [
      { category: CATEGORY, sinks: names, lowestLevel: tapeLevelFor(level) },
      // LogTape reports its own errors; unless told otherwise, on the console.
      { category: ["logtape", "meta"], sinks: names, lowestLevel: "error" },
    ],
  });
}

function mostDetailed(targets: readonly LogTarget[]): LogLevel {
  return targets.map(({ level }) => level)
    .reduce((most, level) => level > most ? level : most, 0);
}
