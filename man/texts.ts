// The longer texts about options, from all files in man/texts.
import type { Option } from "../src/config/option.ts";
import type { ProgramName } from "../src/config/programs.ts";

/**
 * By the long name of an option without its dashes. Where the option means
 * something else to one program, the name stands behind that of the program:
 * `anytun-controld control-host`. One paragraph each: what it does, values and
 * units, the default, when to use it, what the originals do otherwise. Values
 * and files stand in double quotes, options are known by their dashes, and what
 * to fill in by its brackets: --mtu, "file:<level>,<path>".
 */
export type Texts = Readonly<Record<string, string>>;

const folder = new URL("texts/", import.meta.url);

/** Of all files; each has its texts as default export. */
export async function readTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const { name } of Deno.readDirSync(folder)) {
    const file: { default: Texts } = await import(`./texts/${name}`);
    for (const [key, text] of Object.entries(file.default)) {
      if (texts.has(key)) throw new Error(`${name} has '${key}' once more`);
      texts.set(key, text.replaceAll(/\s+/g, " ").trim());
    }
  }
  return texts;
}

/** Under which keys the text of an option may stand, the first one first. */
export function keysOf(program: ProgramName, { long }: Option): string[] {
  const name = long.replace("--", "");
  return [`${program} ${name}`, name];
}
