// The program `anytun-config`: records of clients (sync section 6).
import { readEnvironment } from "../../ffi/process/process.ts";
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { configTable, readConfigCommandLine } from "../config/config.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { recordsOf } from "../daemon/client_records.ts";
import { systemWorld } from "../daemon/system_world.ts";
import { openLog } from "../log/log.ts";
import { reasonOf } from "../log/reason.ts";
import { configHostFiles } from "./config_host_files.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { printCommandLine, printTo } from "./print.ts";

export async function config(
  argv: readonly string[],
  libc: ProcessLibc,
): Promise<number> {
  const environment = readEnvironment(libc);
  hideSecrets(libc, configTable, argv);
  const files = configHostFiles(libc, "start", environment);
  const commandLine = readConfigCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options, warnings } = commandLine;
  const world = systemWorld(libc, environment);
  using log = openLog({
    targets: options.logTargets,
    format: "text",
    program: "anytun-config",
    // Standard output is for records alone.
  }, { ...world, stdout: Deno.stderr });
  const { logger } = log;
  for (const warning of warnings) logger.warning(warning);
  try {
    printTo(Deno.stdout, await recordsOf(options.clients, world, logger));
    return 0;
  } catch (error) {
    logger.error(reasonOf(error));
    return EXIT_FAILED;
  }
}
