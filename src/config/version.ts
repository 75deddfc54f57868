/**
 * Which program this is.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };

/** What runs the program; `Deno.version` fits. */
export interface Runtime {
  readonly deno: string;
  readonly v8: string;
}

/** The two lines of `--version` (CLI section 7). */
export function versionText(program: string, runtime: Runtime): string {
  return `${program} version ${project.version}\n` +
    `running on Deno ${runtime.deno} with V8 ${runtime.v8}\n`;
}
