// The version of the program.
import type { ProgramName } from "./programs.ts";
import project from "../../deno.json" with { type: "json" };

/** What runs the program; `Deno.version` fits. */
export interface Runtime {
  readonly deno: string;
  readonly v8: string;
}

export const PROGRAM_VERSION: string = project.version;

/**
 * The two lines of `--version` (CLI section 7). The first one has name and
 * number where scripts look for those of the original, and then the difference.
 */
export function versionText(program: ProgramName, runtime: Runtime): string {
  return `${program} version ${PROGRAM_VERSION} (anytun for Deno)\n` +
    `running on Deno ${runtime.deno} with V8 ${runtime.v8}\n`;
}
