// Writes the files of the status page into a module, since a program is made of
// modules: deno task page
const root = new URL("../", import.meta.url);
const folder = new URL("src/status/page/", root);
const target = new URL("src/status/page_files.ts", root);

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** The module, as it is to be. */
export function pageModule(): string {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .toSorted();
  const files = names.map((name) => {
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
    if (type === undefined) throw new Error(`what is ${name}?`);
    const path = name === "index.html" ? "/" : `/${name}`;
    const text = Deno.readTextFileSync(new URL(name, folder));
    return `  "${path}": {\n    type: "${type}",\n    body: \`\\\n${
      escaped(text)
    }\`,\n  },\n`;
  });
  return `// The files in src/status/page, by path; made by deno task page.
import type { Response } from "./response.ts";

export const PAGE_FILES: Readonly<Record<string, Omit<Response, "status">>> = {
${files.join("")}};
`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("`", "\\`")
    .replaceAll("${", "\\${");
}

if (import.meta.main) Deno.writeTextFileSync(target, pageModule());
