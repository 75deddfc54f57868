// Writes the manual pages: `deno task man [folder]`.
import project from "../deno.json" with { type: "json" };
import { epochOfSource } from "../tasks/host.ts";
import { pageText, type Release } from "./page.ts";
import { allPages } from "./pages.ts";

/** The folder that the pages go to, unless another one is named. */
const FOLDER = "dist/man";

async function writePages(folder: string): Promise<string[]> {
  const date = new Date(await epochOfSource() * 1000);
  const release: Release = {
    version: project.version,
    date: date.toISOString().slice(0, 10),
  };
  Deno.mkdirSync(folder, { recursive: true });
  const pages = await allPages();
  return pages.map((page) => {
    const path = `${folder}/${page.name}.${page.section}`;
    Deno.writeTextFileSync(path, pageText(page, release));
    return path;
  });
}

if (import.meta.main) {
  for (const path of await writePages(Deno.args[0] ?? FOLDER)) {
    Deno.stdout.writeSync(new TextEncoder().encode(`${path}\n`));
  }
}
