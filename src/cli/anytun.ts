/**
 * The program `anytun`.
 *
 * @module
 */
import { readArguments } from "../../ffi/file.ts";
import { overwriteArguments, readEnvironment } from "../../ffi/process.ts";
import type { ProcessLibc } from "../../ffi/process_libc.ts";
import { readAnytunCommandLine } from "../config/anytun.ts";
import type { AnytunOptions } from "../config/anytun_options.ts";
import { secretArguments } from "../config/secret_arguments.ts";
import { anytunTable } from "../config/table.ts";
import { runAnytun } from "../daemon/anytun.ts";
import { startInBackground, takeHandover } from "../daemon/background.ts";
import { foregroundLauncher } from "../daemon/launcher.ts";
import { systemWorld } from "../daemon/system_world.ts";
import { printCommandLine, printTo } from "./print.ts";
import { secretFiles } from "./secret_files.ts";

/**
 * Runs the program until it is told to end.
 *
 * @param argv Arguments without the program's name
 * @returns The exit status
 */
export async function anytun(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  const inheritance = takeHandover<AnytunOptions>(libc, environment, "anytun");
  if (inheritance !== undefined) {
    const { options, warnings, launcher } = inheritance;
    const world = systemWorld(libc, environment, launcher);
    return await runAnytun(options, warnings, world);
  }
  hideSecrets(libc, argv);
  const files = secretFiles(libc, environment);
  const commandLine = readAnytunCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  if (options.foreground) {
    const launcher = foregroundLauncher(Deno.stderr);
    const world = systemWorld(libc, environment, launcher);
    return await runAnytun(options, warnings, world);
  }
  const say = (line: string) => printTo(Deno.stderr, `${line}\n`);
  const handover = { options, warnings };
  return startInBackground(libc, environment, handover, say) ? 0 : 255;
}

/**
 * As in the original, `ps` shows their lengths only (CLI section 1). Copies
 * that the runtime has made of them stay in the memory of the process.
 */
function hideSecrets(libc: ProcessLibc, argv: readonly string[]): void {
  const own = readArguments(libc);
  const before = own.length - argv.length;
  const indexes = secretArguments(anytunTable, argv)
    .filter((index) => own[before + index] === argv[index])
    .map((index) => before + index);
  overwriteArguments(libc, indexes);
}
