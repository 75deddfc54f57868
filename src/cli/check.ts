// The program `anytun-check`: what starts with config files would say.
import type { ProcessLibc } from "../../ffi/process/libc.ts";
import {
  checkConfigs,
  type CheckedConfig,
  readCheckCommandLine,
} from "../config/check.ts";
import { EXIT_FAILED } from "../config/exit_status.ts";
import { escapeControls } from "../log/line.ts";
import { configHostFiles } from "./config_host_files.ts";
import { printCommandLine, printTo } from "./print.ts";

const EXIT_WARNINGS = 1;
export function check(argv: readonly string[], libc: ProcessLibc): number {
  const commandLine = readCheckCommandLine(argv, Deno.version);
  if (commandLine.kind !== "run") return printCommandLine(commandLine);
  const { options } = commandLine;
  const files = configHostFiles(libc, "look");
  const checked = checkConfigs(options, Deno.version, files);
  for (const config of checked) tell(config);
  if (checked.length === 0) printTo(Deno.stdout, "there are no tunnels\n");
  if (checked.some(({ fault }) => fault !== undefined)) return EXIT_FAILED;
  const hasWarnings = checked.some(({ warnings }) => warnings.length > 0);
  return options.strict && hasWarnings ? EXIT_WARNINGS : 0;
}

function tell({ title, fault, warnings }: CheckedConfig): void {
  const name = escapeControls(title);
  for (const warning of warnings) {
    printTo(Deno.stderr, `${name}: warning: ${escapeControls(warning)}\n`);
  }
  if (fault === undefined) printTo(Deno.stdout, `${name}: no fault\n`);
  else printTo(Deno.stderr, `${fault}\n${name}: would not start\n`);
}
