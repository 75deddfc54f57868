// Programs whose options people look at without running them.
import { anytunProgram } from "./anytun.ts";
import type { Program } from "./command_line.ts";
import { configProgram } from "./config.ts";
import { controldProgram } from "./controld.ts";
import { BadValue, optional, type OptionTable } from "./option.ts";
import type { HostFiles } from "./host_files.ts";
import type { Runtime } from "./version.ts";

const PROGRAM_NAMES = ["anytun", "anytun-config", "anytun-controld"] as const;

export type InspectedName = typeof PROGRAM_NAMES[number];

export const inspectedRow = optional({
  group: "General",
  long: "--for",
  argument: "program",
  parse: inspectedName,
  choices: PROGRAM_NAMES,
  help: "the program that the options are for: anytun, anytun-config or " +
    "anytun-controld (default anytun)",
});

function inspectedName(text: string): InspectedName {
  const name = PROGRAM_NAMES.find((name) =>
    name === text || name === `anytun-${text}`
  );
  if (name !== undefined) return name;
  throw new BadValue(PROGRAM_NAMES.join(", "));
}

/** Hands a program over without saying which one it is. */
export function withInspected<R>(
  name: InspectedName,
  runtime: Runtime,
  files: HostFiles,
  use: <T extends OptionTable, O>(program: Program<T, O>) => R,
): R {
  switch (name) {
    case "anytun":
      return use(anytunProgram(runtime, files));
    case "anytun-config":
      return use(configProgram(runtime, files));
    case "anytun-controld":
      return use(controldProgram(runtime, files));
  }
}
