// Writes completions of shells: `deno task completions [folder]`.
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

/** The folder that they go to, unless another one is named. */
const FOLDER = "dist/completions";

/** By the name that each shell looks for. */
const SCRIPTS = {
  "anytun.bash": bashScript,
  "_anytun": zshScript,
  "anytun.fish": fishScript,
} as const;

export function writeCompletions(folder: string): string[] {
  Deno.mkdirSync(folder, { recursive: true });
  return Object.entries(SCRIPTS).map(([name, script]) => {
    const path = `${folder}/${name}`;
    Deno.writeTextFileSync(path, script());
    return path;
  });
}

if (import.meta.main) {
  for (const path of writeCompletions(Deno.args[0] ?? FOLDER)) {
    Deno.stdout.writeSync(new TextEncoder().encode(`${path}\n`));
  }
}
