/**
 * Daemons in the foreground or in the background (CLI section 4).
 *
 * @module
 */
import { closeInherited } from "../../ffi/process/descriptors.ts";
import { hideMemory } from "../../ffi/process/hardening.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import { statDescriptor } from "../../ffi/process/stat.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { CommandLine } from "../config/command_line.ts";
import { startInBackground, takeHandover } from "../daemon/background.ts";
import { foregroundParent, type Parent } from "../daemon/parent.ts";
import type { StreamName } from "../log/target.ts";
import { systemWorld } from "../daemon/system_world.ts";
import type { World } from "../daemon/world.ts";
import { printCommandLine, printTo } from "./print.ts";

/** Seconds that a start in the background is waited for. */
const START_TIMEOUT = 30;

/** What of the options decides where a daemon runs. */
export interface StartOptions {
  readonly foreground: boolean;
  /** Seconds that a start in the background is waited for. */
  readonly startTimeout?: number;
}

/** A daemon as a program. */
export interface DaemonStart<O> {
  readonly name: string;
  /** Reads the arguments, in the process that was called. */
  readonly read: (environment: ReadonlyMap<string, string>) => CommandLine<O>;
  /** Runs the daemon, in the process that stays. */
  readonly run: (
    options: O,
    warnings: readonly string[],
    world: World,
  ) => Promise<number>;
}

/**
 * Runs the daemon in this process, or starts one that does.
 *
 * @returns The exit status
 */
export async function startDaemon<O extends StartOptions>(
  { name, read, run }: DaemonStart<O>,
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  const worldWith = (parent: Parent) => systemWorld(libc, environment, parent);
  const inheritance = takeHandover<O>(libc, environment, name);
  if (inheritance !== undefined) {
    const { options, warnings, parent } = inheritance;
    hideMemory(libc);
    return await run(options, warnings, worldWith(parent));
  }
  const commandLine = read(environment);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  // Not before the options are read: a secret may come by /dev/fd.
  closeInherited(libc);
  hideMemory(libc);
  const parent = foregroundParent(Deno.stderr, sharedStreams(libc));
  const world = worldWith(parent);
  if (options.foreground) return await run(options, warnings, world);
  const { startTimeout = START_TIMEOUT } = options;
  const say = (line: string) => printTo(Deno.stderr, `${line}\n`);
  const wait = { name, startTimeout, say, world };
  const handover = { options, warnings };
  return await startInBackground(libc, environment, handover, wait);
}

/** A terminal, or `2>&1`, shows both where the standard error is read. */
function sharedStreams(libc: ProcessLibc): readonly StreamName[] {
  const [stdout, stderr] = ["standard output", "standard error"]
    .map((name, index) => statDescriptor(libc, index + 1, name).identity);
  return stdout === stderr ? ["stdout", "stderr"] : ["stderr"];
}
