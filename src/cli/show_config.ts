// The program `anytun-show-config`: options in force, and where they come from.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import { anytunTable } from "../config/anytun.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { readShowConfigCommandLine } from "../config/show_config.ts";
import { configHostFiles } from "./config_host_files.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { printCommandLine, printTo } from "./print.ts";

export function showConfig(argv: readonly string[], libc: ProcessLibc): number {
  hideSecrets(libc, anytunTable, argv);
  const files = configHostFiles(libc, "look");
  const commandLine = readShowConfigCommandLine(argv, Deno.version, files);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options: { text, fault }, warnings } = commandLine;
  printTo(Deno.stdout, text);
  for (const warning of warnings) {
    printTo(Deno.stderr, `warning: ${warning}\n`);
  }
  if (fault === undefined) return 0;
  printTo(Deno.stderr, `${fault}\n`);
  return EXIT_FAILED;
}
