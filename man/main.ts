// Writes the manual pages: `deno task man [folder]`.
import project from "../deno.json" with { type: "json" };
import { pageText, type Release } from "./page.ts";
import { allPages } from "./pages.ts";

/** The folder that the pages go to, unless another one is named. */
const FOLDER = "dist/man";

async function writePages(folder: string): Promise<string[]> {
  const release: Release = { version: project.version, date: dateOfBuild() };
  Deno.mkdirSync(folder, { recursive: true });
  const pages = await allPages();
  return pages.map((page) => {
    const path = `${folder}/${page.name}.${page.section}`;
    Deno.writeTextFileSync(path, pageText(page, release));
    return path;
  });
}

/** That of the source where a builder says it, for builds that are the same. */
function dateOfBuild(): string {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  const date = epoch === undefined
    ? new Date()
    : new Date(Number(epoch) * 1000);
  return date.toISOString().slice(0, 10);
}

if (import.meta.main) {
  for (const path of await writePages(Deno.args[0] ?? FOLDER)) {
    Deno.stdout.writeSync(new TextEncoder().encode(`${path}\n`));
  }
}
