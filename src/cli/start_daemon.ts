// Start of a daemon, in the foreground or background (CLI section 4).
import { closeInherited } from "../../ffi/process/descriptors.ts";
import { hideMemory } from "../../ffi/process/hardening.ts";
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import type { ReadConfigText } from "../config/config_file.ts";
import type { CommandLine } from "../config/command_line.ts";
import type { DaemonOptions } from "../config/general.ts";
import { configFileRows } from "../config/config_place.ts";
import { readingAgain } from "../config/read_again.ts";
import type { InForce } from "../config/reading.ts";
import type { HostFiles } from "../config/host_files.ts";
import type { Configured } from "../daemon/reload.ts";
import {
  type Handover,
  type Inheritance,
  startInBackground,
  takeHandover,
} from "../daemon/background.ts";
import {
  firstFreePort,
  isOthersFolder,
  limitDaemon,
  type StartLimits,
  type StartSurroundings,
} from "../daemon/start_limits.ts";
import { systemWorld } from "../daemon/system_world.ts";
import type { World } from "../daemon/world.ts";
import { makeDebianJail } from "./debian_jail.ts";
import { printCommandLine, printTo } from "./print.ts";
import { hostFiles, StandardInput } from "./host_files.ts";

interface DaemonStart<O> {
  readonly name: string;
  /** What it takes in the background; undefined for all that there is. */
  readonly limits: (
    options: O,
    surroundings: StartSurroundings,
  ) => StartLimits | undefined;
  /**
   * Called in the process that people have started, and each time that the one
   * that stays reads its options again.
   * @param argv As people gave them, with their secrets
   * @param inForce While the daemon runs
   */
  readonly read: (
    argv: readonly string[],
    files: HostFiles,
    inForce?: InForce,
  ) => CommandLine<O>;
  /** Called in the process that stays. */
  readonly run: (configured: Configured<O>, world: World) => Promise<number>;
}

type StartOptions =
  & Pick<
    DaemonOptions,
    "chroot" | "foreground" | "noSandbox" | "startTimeout" | "username"
  >
  & { readonly configFile?: string | undefined };

/** What a process is started with. */
interface Given {
  /** Its own, whose secrets may be hidden afterwards. */
  readonly argv: readonly string[];
  readonly libc: ProcessLibc;
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Runs the daemon in this process, or starts one that does.
 * @param argv Those of this process, whose secrets may be hidden afterwards
 */
export async function startDaemon<O extends StartOptions>(
  program: DaemonStart<O>,
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  const given = { argv, libc, environment };
  const inheritance = await takeHandover<O>(libc, environment, program.name);
  return inheritance === undefined
    ? await startAnew(program, given)
    : await goOn(program, given, inheritance);
}

/** In the process that stays in the background. */
async function goOn<O extends StartOptions>(
  { read, run }: DaemonStart<O>,
  { libc, environment }: Given,
  { argv, parent, reading, standardInput }: Inheritance<O>,
): Promise<number> {
  hideMemory(libc);
  const input = new StandardInput(libc, standardInput);
  const readText = await configReader(argv);
  const files = hostFiles(libc, environment, "again", input, readText);
  const readAgain = readingAgain(
    reading.options,
    (inForce) => read(argv, files, inForce),
  );
  const world = systemWorld(libc, environment, parent);
  return await run({ ...reading, readAgain }, world);
}

/**
 * At the start, or never: later a daemon cannot read its own source. It is read
 * again by the same arguments.
 */
async function configReader(
  argv: readonly string[],
): Promise<ReadConfigText | undefined> {
  if (!argv.includes(configFileRows.config.long)) return undefined;
  return (await import("../config/config_file.ts")).readConfigText;
}

/** In the process that people have started. */
async function startAnew<O extends StartOptions>(
  program: DaemonStart<O>,
  given: Given,
): Promise<number> {
  const { read, run } = program;
  const { argv, libc, environment } = given;
  const input = new StandardInput(libc);
  const readText = await configReader(argv);
  const files = hostFiles(libc, environment, "start", input, readText);
  const filesAgain = hostFiles(libc, environment, "again", input, readText);
  const commandLine = read(argv, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { kind: _, ...reading } = commandLine;
  const { options } = reading;
  // Not before the options are read: a secret may come by /dev/fd.
  closeInherited(libc);
  hideMemory(libc);
  makeDebianJail(libc, options);
  const world = systemWorld(libc, environment);
  if (!options.foreground) {
    const { bytes: standardInput } = input;
    const left = { reading, argv, standardInput };
    return await leave(program, given, left, world);
  }
  const readAgain = readingAgain(
    options,
    (inForce) => read(argv, filesAgain, inForce),
  );
  return await run({ ...reading, readAgain }, world);
}

/** Leaves a daemon in the background. */
async function leave<O extends StartOptions>(
  { limits, name }: DaemonStart<O>,
  { libc, environment }: Given,
  left: Omit<Handover<O>, "hasConfinedFiles">,
  world: World,
): Promise<number> {
  const { options } = left.reading;
  const { noSandbox, startTimeout } = options;
  const found = noSandbox ? undefined : limits(options, {
    stateDirectory: world.stateDirectory,
    runtimeDirectory: world.runtimeDirectory,
    firstFreePort: firstFreePort(libc),
    isOthers: (folder) => isOthersFolder(libc, folder),
  });
  const hasConfinedFiles = found !== undefined &&
    limitDaemon(libc, found, import.meta.url);
  const say = (line: string) => printTo(Deno.stderr, `${line}\n`);
  const handover = { ...left, hasConfinedFiles };
  const wait = { name, startTimeout, say, world };
  return await startInBackground(libc, environment, handover, wait);
}
