// Sections of the help of a program, for its manual page.
import { callOf, type ProgramName } from "../src/config/programs.ts";
import type { Block } from "./page.ts";

const MAIN = new URL("../src/cli/main.ts", import.meta.url);

/** The help of a program, as it prints it. */
export async function helpOf(program: ProgramName): Promise<string> {
  const [, ...words] = callOf(program).split(" ");
  const args = ["run", "-A", "--quiet", MAIN.pathname, ...words, "--help"];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args })
    .output();
  if (!success) throw new Error(`Cannot run ${program} --help`);
  return new TextDecoder().decode(stdout);
}

/** The lines of a section of a help, as terms and what they mean. */
export function termsIn(help: string, title: string): Block {
  const [, behind = ""] = help.split(`\n${title}:\n`);
  const [lines = ""] = behind.split("\n\n");
  const terms = [...lines.matchAll(/^ {2}(\S.*?) {2,}(\S.*)$/gm)]
    .map(([, term = "", text = ""]) => [`"${term}"`, sentence(text)] as const);
  if (terms.length === 0) throw new Error(`There is no help on ${title}`);
  return { terms };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
