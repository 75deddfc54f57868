// deno-lint-ignore-file no-console
// The project in figures. Of another checkout: deno task figures <folder>

const root = new URL(`file://${Deno.realPathSync(Deno.args[0] ?? ".")}/`);

interface Module {
  readonly path: string;
  readonly text: string;
}

/** Modules below folders, of which some may not be there. */
function modulesOf(...folders: string[]): Module[] {
  return folders.flatMap((folder) => {
    try {
      return [...Deno.readDirSync(new URL(folder, root))].flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory) return modulesOf(path);
        if (!path.endsWith(".ts")) return [];
        return [{ path, text: Deno.readTextFileSync(new URL(path, root)) }];
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

function linesOf(modules: readonly Module[], wanted = /^/): number {
  const lines = modules.flatMap(({ text }) => text.trimEnd().split("\n"));
  return lines.filter((line) => wanted.test(line)).length;
}

/** How many other modules import each one, by its address. */
function importersOf(modules: readonly Module[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { path, text } of modules) {
    const specifiers = text.matchAll(
      /(?:from|import)\s*\(?\s*"(\.[^"]+)"|new URL\("(\.[^"]+\.ts)"/g,
    );
    const targets = [...specifiers].map(([, a, b = ""]) =>
      new URL(a ?? b, new URL(path, root)).href
    );
    for (const target of new Set(targets)) {
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
  }
  return counts;
}

/** Interfaces that by their names carry what something is made of. */
function optionBagsOf(modules: readonly Module[]): string[] {
  const bag =
    /interface \w*(?:Options|Parts|Context|Setup|Settings|Surroundings|Choice|Shared|Request|Config)\b[^{]*\{\n([\s\S]*?)\n\}/g;
  return modules.flatMap(({ text }) =>
    [...text.matchAll(bag)].map(([, body = ""]) => body)
  );
}

const product = modulesOf("src", "ffi");
const others = modulesOf(
  ...["tests", "lab", "bench", "demo", "examples", "tasks"],
);
const importers = importersOf(product);
const single = product.filter(({ path }) =>
  importers.get(new URL(path, root).href) === 1
);
const bags = optionBagsOf(product);
const fields = bags.join("\n").match(/^ {2}(?:readonly )?\w+\??[:(]/gm) ?? [];
const lines = linesOf(product);
const comments = linesOf(product, /^\s*(?:\/\/|\/\*|\*)/);

console.log(`product files               ${product.length}`);
console.log(`  with one importer         ${single.length}`);
console.log(`product lines               ${lines}`);
console.log(
  `  of them comments          ${(comments / lines * 100).toFixed(1)} %`,
);
console.log(
  `option bags                 ${bags.length}, ${fields.length} fields`,
);
console.log(
  `all other lines : product   ${(linesOf(others) / lines).toFixed(2)}`,
);
