// Start of a daemon, in the foreground or background (CLI section 4).
import { closeInherited } from "../../ffi/process/descriptors.ts";
import { hideMemory } from "../../ffi/process/hardening.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { CommandLine } from "../config/command_line.ts";
import type { DaemonOptions } from "../config/general.ts";
import { startInBackground, takeHandover } from "../daemon/background.ts";
import {
  firstFreePort,
  limitDaemon,
  type StartLimits,
  type StartSurroundings,
} from "../daemon/start_limits.ts";
import { systemWorld } from "../daemon/system_world.ts";
import type { World } from "../daemon/world.ts";
import { printCommandLine, printTo } from "./print.ts";

interface DaemonStart<O> {
  readonly name: string;
  /** What it takes in the background; undefined for all that there is. */
  readonly limits: (
    options: O,
    surroundings: StartSurroundings,
  ) => StartLimits | undefined;
  /** Called in the process that people have started. */
  readonly read: (environment: ReadonlyMap<string, string>) => CommandLine<O>;
  /** Called in the process that stays. */
  readonly run: (
    options: O,
    warnings: readonly string[],
    world: World,
  ) => Promise<number>;
}

/** Runs the daemon in this process, or starts one that does. */
export async function startDaemon<
  O extends Pick<DaemonOptions, "foreground" | "noSandbox" | "startTimeout">,
>(
  { name, limits, read, run }: DaemonStart<O>,
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  const inheritance = await takeHandover<O>(libc, environment, name);
  if (inheritance !== undefined) {
    const { options, warnings, parent } = inheritance;
    hideMemory(libc);
    return await run(options, warnings, systemWorld(libc, environment, parent));
  }
  const commandLine = read(environment);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  // Not before the options are read: a secret may come by /dev/fd.
  closeInherited(libc);
  hideMemory(libc);
  const world = systemWorld(libc, environment);
  if (options.foreground) return await run(options, warnings, world);
  const { noSandbox, startTimeout } = options;
  const found = noSandbox ? undefined : limits(options, {
    stateDirectory: world.stateDirectory,
    firstFreePort: firstFreePort(libc),
  });
  const hasConfinedFiles = found !== undefined &&
    limitDaemon(libc, found, import.meta.url);
  const say = (line: string) => printTo(Deno.stderr, `${line}\n`);
  const wait = { name, startTimeout, say, world };
  const handover = { options, warnings, hasConfinedFiles };
  return await startInBackground(libc, environment, handover, wait);
}
