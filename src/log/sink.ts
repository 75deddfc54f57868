// Lines of the log, as the targets get them from LogTape.
import type { LogRecord, Sink } from "@logtape/logtape";
import { LEVEL_NUMBERS, type LevelName } from "./level.ts";
import type { LogFields } from "./logger.ts";
import type { Outlet } from "./outlet.ts";
import { CATEGORY, levelOf } from "./tape.ts";
import type { LogTarget } from "./target.ts";
import type { Line } from "./target_line.ts";

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
