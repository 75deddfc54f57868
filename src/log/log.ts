// The log of a running program.
import {
  configureSync,
  type LogRecord,
  resetSync,
  type Sink,
} from "@logtape/logtape";
import { LEVEL_NUMBERS, type LevelName, type LogLevel } from "./level.ts";
import { formatJsonLine, formatLine, formatUndated } from "./line.ts";
import type { LogFields, Logger } from "./logger.ts";
import { type LogSurroundings, Outlet } from "./outlet.ts";
import { reasonOf } from "./reason.ts";
import { CATEGORY, levelOf, tapeLevelFor, tapeLogger } from "./tape.ts";
import { formatSyslogLine, SEVERITIES } from "./syslog_line.ts";
import type { LogFormat, LogTarget, StreamName } from "./target.ts";

interface LogChoice {
  readonly targets: readonly LogTarget[];
  readonly format: LogFormat;
}

interface LogOptions extends LogChoice {
  readonly program: string;
}

/** A target and what is open for it, which may serve another level later. */
interface Channel {
  readonly target: LogTarget;
  readonly outlet: Outlet;
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
  /**
   * Opens what other targets take, and keeps open what they have in common with
   * those in use.
   * @param undo Closes what is new, unless they come into use
   * @returns Brings them into use
   * @throws if one cannot be opened
   */
  prepare(next: LogChoice, undo: DisposableStack): () => void;
}

/**
 * LogTape has one configuration in a process, so there can be one open log.
 * @throws if a target cannot be opened, or another log is open
 */
export function openLog(
  { program, ...first }: LogOptions,
  surroundings: LogSurroundings,
): Log {
  const logger = tapeLogger(surroundings.now);
  const warnings: string[] = [];
  let channels: readonly Channel[] = [];
  const close = (outlets: readonly Outlet[]) => {
    for (const outlet of new Set(outlets)) outlet.close();
  };
  const prepare = (
    { targets, format }: LogChoice,
    undo: DisposableStack,
    warn: (text: string) => void,
  ) => {
    const next = targets.map((target) => {
      const known = channels.find((channel) => isOneOutlet(channel, target));
      if (known !== undefined) return { target, outlet: known.outlet };
      const outlet = openOutlet(target, surroundings, warn);
      undo.defer(() => outlet.close());
      return { target: outlet.target, outlet };
    });
    return () => {
      const used = new Set(next.map(({ outlet }) => outlet));
      const gone = channels.map(({ outlet }) => outlet)
        .filter((outlet) => !used.has(outlet));
      const sinks = next.map(({ target, outlet }) => {
        const line = target.kind === "syslog"
          ? syslogLine(target, program, surroundings.pid)
          : streamLine(target, format, surroundings);
        return sinkOf(target.level, line, outlet);
      });
      configureLogTape(sinks, next, channels.length > 0);
      channels = next;
      close(gone);
    };
  };
  using opened = new DisposableStack();
  prepare(first, opened, (text) => warnings.push(text))();
  opened.move();
  return {
    logger,
    warnings,
    get errorStreams() {
      return channels.flatMap(({ target: { kind, level } }) =>
        (kind === "stdout" || kind === "stderr") && level >= LEVEL_NUMBERS.error
          ? [kind]
          : []
      );
    },
    reopen() {
      for (const { outlet } of channels) reopen(outlet, logger);
    },
    prepare: (next, undo) =>
      prepare(next, undo, (text) => logger.warning(text)),
    [Symbol.dispose]() {
      resetSync();
      close(channels.map(({ outlet }) => outlet));
    },
  };
}

function isOneOutlet({ outlet }: Channel, wanted: LogTarget): boolean {
  const { target } = outlet;
  return target.kind === wanted.kind &&
    (target.kind !== "file" || wanted.kind !== "file" ||
      target.path === wanted.path);
}

/** A host without a syslog, such as a container, is no reason not to run. */
function openOutlet(
  target: LogTarget,
  surroundings: LogSurroundings,
  warn: (text: string) => void,
): Outlet {
  try {
    return new Outlet(target, surroundings);
  } catch (error) {
    if (target.kind !== "syslog" || !target.isDefault) throw error;
    warn(
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
  sinks: readonly Sink[],
  channels: readonly Channel[],
  isAgain: boolean,
): void {
  const named = Object.fromEntries(
    sinks.map((
      sink,
      index,
    ) => [`${index} ${channels[index]?.target.kind}`, sink]),
  );
  const names = Object.keys(named);
  const level = mostDetailed(channels.map(({ target }) => target));
  configureSync({
    sinks: named,
    reset: isAgain,
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
