/**
 * The log of a running program: targets opened, lines written, all closed.
 *
 * @module
 */
import {
  configureSync,
  type LogRecord,
  resetSync,
  type Sink,
} from "@logtape/logtape";
import { LEVEL_NUMBERS, type LogLevel } from "./level.ts";
import { formatLine } from "./line.ts";
import type { Logger } from "./logger.ts";
import { CATEGORY, levelOf, tapeLevelFor, tapeLogger } from "./tape.ts";
import type { LogTarget } from "./target.ts";

/** A stream such as `Deno.stdout`. */
export interface StandardStream {
  /** Writes some of the bytes and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** A file to which each write appends. */
export interface LogFile {
  /** Writes all of the bytes through to the system. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** What a log writes to, and the clock for its lines. */
export interface LogSurroundings {
  readonly stdout: StandardStream;
  readonly stderr: StandardStream;
  /** @throws if the file cannot be opened for appending */
  openFile(path: string): LogFile;
  /** Milliseconds since 1970. */
  now(): number;
}

/** An open log; disposing of it closes its files. */
export interface Log extends Disposable {
  readonly logger: Logger;
}

/**
 * Opens the targets. LogTape has one configuration in a process, so there can
 * be only one open log.
 *
 * @throws if a file cannot be opened, or another log is open
 */
export function openLog(
  targets: readonly LogTarget[],
  surroundings: LogSurroundings,
): Log {
  const sinks: Record<string, Sink> = {};
  using opened = new DisposableStack();
  for (const [index, target] of targets.entries()) {
    const file = opened.adopt(
      openTarget(target, surroundings),
      (file) => file.close(),
    );
    sinks[`${index} ${target.kind}`] = sinkOf(target.level, file);
  }
  configureLogTape(sinks, mostDetailed(targets));
  const files = opened.move();
  return {
    logger: tapeLogger(surroundings.now),
    [Symbol.dispose]() {
      resetSync();
      files.dispose();
    },
  };
}

function openTarget(target: LogTarget, surroundings: LogSurroundings): LogFile {
  if (target.kind !== "file") return wholeWrites(surroundings[target.kind]);
  try {
    return surroundings.openFile(target.path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot log to the file '${target.path}' (--log file): ${reason}`,
      { cause },
    );
  }
}

/** A stream may take less than it is given; nobody closes it here. */
function wholeWrites(stream: StandardStream): LogFile {
  return {
    write(bytes) {
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    },
    close() {},
  };
}

/**
 * Writes records up to a level. A target that fails says so once, on the
 * other targets and by way of LogTape, until it works again: a full disk must
 * not double every line.
 */
function sinkOf(level: LogLevel, file: LogFile): Sink {
  const encoder = new TextEncoder();
  let failing = false;
  return (record) => {
    const name = levelOf(record);
    if (LEVEL_NUMBERS[name] > level) return;
    const line = formatLine(new Date(record.timestamp), name, textOf(record));
    try {
      file.write(encoder.encode(line));
      failing = false;
    } catch (error) {
      if (failing) return;
      failing = true;
      throw error;
    }
  };
}

/** The text of a record, also of LogTape's own about a sink that threw. */
function textOf({ category, message, properties }: LogRecord): string {
  if (category[0] === CATEGORY) return String(message[0]);
  const { error } = properties;
  const reason = error instanceof Error ? error.message : String(message[0]);
  return `a log target does not take lines any more: ${reason}`;
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
      // LogTape logs its own troubles; unless told otherwise, to the console.
      { category: ["logtape", "meta"], sinks: names, lowestLevel: "error" },
    ],
  });
}

function mostDetailed(targets: readonly LogTarget[]): LogLevel {
  return targets.map(({ level }) => level)
    .reduce((most, level) => level > most ? level : most, 0);
}
