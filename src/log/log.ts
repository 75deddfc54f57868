// The log of a running program.
import { Channels, type LogChoice } from "./channels.ts";
import { LEVEL_NUMBERS } from "./level.ts";
import type { Logger } from "./logger.ts";
import type { LogSurroundings } from "./outlet.ts";
import { tapeLogger } from "./tape.ts";
import type { LogTarget, StreamName } from "./target.ts";

interface LogOptions extends LogChoice {
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
  const channels = new Channels(program, surroundings);
  using opened = new DisposableStack();
  channels.prepare(first, opened, (text) => warnings.push(text))();
  opened.move();
  return {
    logger,
    warnings,
    get errorStreams() {
      return channels.targets.flatMap(streamOfErrors);
    },
    reopen: () => channels.reopen(logger),
    prepare: (next, undo) =>
      channels.prepare(next, undo, (text) => logger.warning(text)),
    [Symbol.dispose]: () => channels[Symbol.dispose](),
  };
}

function streamOfErrors({ kind, level }: LogTarget): StreamName[] {
  return (kind === "stdout" || kind === "stderr") &&
      level >= LEVEL_NUMBERS.error
    ? [kind]
    : [];
}
