// Targets of a log, and what is open for them.
import { configureSync, resetSync, type Sink } from "@logtape/logtape";
import type { LogLevel } from "./level.ts";
import type { Logger } from "./logger.ts";
import { type LogSurroundings, Outlet } from "./outlet.ts";
import { reasonOf } from "./reason.ts";
import { sinkOf } from "./sink.ts";
import { CATEGORY, tapeLevelFor } from "./tape.ts";
import type { LogFormat, LogTarget } from "./target.ts";
import { lineOf } from "./target_line.ts";

export interface LogChoice {
  readonly targets: readonly LogTarget[];
  readonly format: LogFormat;
}

/** A target and what is open for it, which may serve another level later. */
interface Channel {
  readonly target: LogTarget;
  readonly outlet: Outlet;
}

export class Channels implements Disposable {
  readonly #program: string;
  readonly #surroundings: LogSurroundings;
  #inUse: readonly Channel[] = [];

  constructor(program: string, surroundings: LogSurroundings) {
    this.#program = program;
    this.#surroundings = surroundings;
  }

  get targets(): readonly LogTarget[] {
    return this.#inUse.map(({ target }) => target);
  }

  /** See `Log`. */
  prepare(
    { targets, format }: LogChoice,
    undo: DisposableStack,
    warn: (text: string) => void,
  ): () => void {
    const next = targets.map((target) => this.#open(target, undo, warn));
    return () => this.#use(next, format);
  }

  reopen(logger: Logger): void {
    for (const { outlet } of this.#inUse) reopen(outlet, logger);
  }

  [Symbol.dispose](): void {
    resetSync();
    closeAll(this.#inUse);
  }

  #open(
    target: LogTarget,
    undo: DisposableStack,
    warn: (text: string) => void,
  ): Channel {
    const known = this.#inUse.find((channel) => isOneOutlet(channel, target));
    if (known !== undefined) return { target, outlet: known.outlet };
    const outlet = openOutlet(target, this.#surroundings, warn);
    undo.defer(() => outlet.close());
    return { target: outlet.target, outlet };
  }

  #use(next: readonly Channel[], format: LogFormat): void {
    const style = { program: this.#program, format };
    const sinks = next.map(({ target, outlet }) =>
      sinkOf(target, lineOf(target, style, this.#surroundings), outlet)
    );
    const before = this.#inUse;
    configureLogTape(sinks, next, before.length > 0);
    this.#inUse = next;
    const used = new Set(next.map(({ outlet }) => outlet));
    closeAll(before.filter(({ outlet }) => !used.has(outlet)));
  }
}

/** Several targets may have one outlet. */
function closeAll(channels: readonly Channel[]): void {
  for (const outlet of new Set(channels.map(({ outlet }) => outlet))) {
    outlet.close();
  }
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
