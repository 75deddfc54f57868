import { strict as assert } from "node:assert";
import { walk } from "./walk.ts";

/**
 * The import rule: a room may use what stands in its list, and nothing else:
 * rooms, and single modules of others.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "ffi": [],
  "src/satp": [],
  "src/crypto": ["ffi", "src/satp"],
  "src/health": [],
  "src/log": [],
  "src/net": ["src/log"],
  "src/fleet": ["src/log", "src/net"],
  "src/offload": [],
  "src/route": [],
  "src/state": ["ffi", "src/log", "src/satp"],
  "src/config": [
    "src/fleet",
    "src/log",
    "src/net",
    "src/satp",
    "src/status/dump.ts",
    "src/sync",
    "src/tunnel/settings.ts",
  ],
  "src/sync": ["src/log", "src/net", "src/route", "src/satp"],
  "src/status": [
    "src/health",
    "src/log",
    "src/net",
    "src/tunnel/counters.ts",
  ],
  "src/tunnel": [
    "ffi",
    "src/crypto",
    "src/log",
    "src/net",
    "src/offload",
    "src/route",
    "src/satp",
    "src/state",
  ],
  "src/daemon": [
    "ffi",
    "src/config",
    "src/crypto",
    "src/fleet",
    "src/health",
    "src/log",
    "src/net",
    "src/route",
    "src/satp",
    "src/state",
    "src/status",
    "src/sync",
    "src/tunnel",
  ],
  "src/cli": [
    "ffi",
    "src/config",
    "src/daemon",
    "src/fleet",
    "src/log",
    "src/net",
    "src/satp",
    "src/status",
    "src/sync",
  ],
};

const root = new URL("../../", import.meta.url);

function roomOf(path: string): string {
  const [first = "", second] = path.split("/");
  return first === "src" ? `src/${second}` : first;
}

/** What a module imports, as paths from the project's root. */
function importsOf(path: string): string[] {
  const text = Deno.readTextFileSync(new URL(path, root));
  const specifiers = text.matchAll(
    /^(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)|new URL\("(\.[^"]+\.ts)"/gm,
  );
  return [...specifiers].map(([, a, b, c]) => {
    const target = new URL(a ?? b ?? c ?? "", new URL(path, root));
    return target.pathname.slice(root.pathname.length);
  });
}

const modules = [...walk(root, "ffi"), ...walk(root, "src")]
  .filter((path) => path.endsWith(".ts"));

Deno.test("every room of the house has its import rule", () => {
  const rooms = new Set(modules.map(roomOf));
  assert.deepEqual([...rooms].filter((room) => !(room in MAY_IMPORT)), []);
});

/** What a row of ARCHITECTURE.md allows, in the words of the rule above. */
function allowedBy(text: string): string[] {
  const roomAt = (name: string) => name === "ffi" ? name : `src/${name}`;
  const modules = [...text.matchAll(/`([^`]+\.ts)` of `([^`]+)`/g)]
    .map(([, file, room]) => `src/${room}/${file}`);
  const rooms = text.replaceAll(/`[^`]+\.ts` of `[^`]+`/g, "")
    .matchAll(/`([^`]+)`/g);
  const named = [...rooms].map(([, name = ""]) => roomAt(name));
  return text.startsWith("all but ")
    ? Object.keys(MAY_IMPORT).filter((room) => !named.includes(room))
    : [...named, ...modules];
}

Deno.test("ARCHITECTURE.md says what each room may import", () => {
  const document = Deno.readTextFileSync(new URL("ARCHITECTURE.md", root));
  const rows = document.matchAll(/^\| `((?:ffi|src)[^`]*)` .*\| (.*?) *\|$/gm);
  const told = [...rows].map(([, room = "", text = ""]) =>
    [room, allowedBy(text).filter((name) => name !== room).toSorted()] as const
  );
  const rules = Object.entries(MAY_IMPORT)
    .map(([room, allowed]) => [room, allowed.toSorted()] as const);
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(rules));
});

for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`${room} imports only what lies further inside`, () => {
    const mayBeUsed = (it: string) => it === room || allowed.includes(it);
    const wrong = modules.filter((path) => roomOf(path) === room)
      .flatMap((path) =>
        importsOf(path)
          .filter((target) => target !== "deno.json")
          .filter((target) => ![target, roomOf(target)].some(mayBeUsed))
          .map((target) => `${path} imports ${target}`)
      );
    assert.deepEqual(wrong, []);
  });
}

Deno.test("the lab, and what runs on it beside the tests, needs none of them", () => {
  const wrong = ["lab", "demo", "bench", "examples"]
    .flatMap((folder) => [...walk(root, folder)])
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) =>
      importsOf(path).filter((target) => target.startsWith("tests/"))
        .map((target) => `${path} imports ${target}`)
    );
  assert.deepEqual(wrong, []);
});

Deno.test("the first line of a module says what it is, as a noun", () => {
  const asking = modules.filter((path) =>
    /^(?:\/\*\*\n \* |\/\/ )(?:Wh(?:at|o|om|ose|ether|ere|ich|en|y)|How)\b/
      .test(Deno.readTextFileSync(new URL(path, root)))
  );
  assert.deepEqual(asking, []);
});

for (const room of ["src/satp", "src/health", "src/offload", "src/route"]) {
  Deno.test(`${room} is pure: it uses neither Deno nor the clock`, () => {
    const impure = modules.filter((path) => roomOf(path) === room)
      .filter((path) =>
        /\bDeno\.|\bDate\.now|\bMath\.random|performance\.|"node:/.test(
          Deno.readTextFileSync(new URL(path, root))
            .replaceAll(/^ *(\*|\/\/).*$/gm, ""),
        )
      );
    assert.deepEqual(impure, []);
  });
}

Deno.test("nobody waits for AbortSignal.any(): see src/net/either.ts", () => {
  const forgotten = modules.filter((path) =>
    /\bAbortSignal\.any\(/.test(
      Deno.readTextFileSync(new URL(path, root))
        .replaceAll(/^ *(\*|\/\/).*$/gm, ""),
    )
  );
  assert.deepEqual(forgotten, []);
});

/** Names that a text imports or hands on, with the module that has them. */
function* importedNames(path: string): Generator<[string, string]> {
  const text = Deno.readTextFileSync(new URL(path, root));
  const clauses = text.matchAll(
    /\b(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}|\*[^"]*)\s*from\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g,
  );
  for (const [, list, from, late] of clauses) {
    const target = new URL(from ?? late ?? "", new URL(path, root)).pathname
      .slice(root.pathname.length);
    const names = (list ?? "*").split(",")
      .map((name) => name.trim().replace(/^type\s+/, "").replace(/\s.*$/, ""));
    for (const name of names) yield [target, name];
  }
}

/** Names that a module exports, those of its own alone. */
function exportsOf(path: string): string[] {
  const text = Deno.readTextFileSync(new URL(path, root));
  const declarations = text.matchAll(
    /^export (?:abstract |async )?(?:const|function\*?|class|interface|type|let) (\w+)/gm,
  );
  return Array.from(declarations, ([, name = ""]) => name);
}

Deno.test("what a module exports is imported somewhere, tests included", () => {
  const doors = ["mod.ts", "ffi/tuntap/mod.ts", "src/cli/main.ts"];
  // Its exports are those of the page's scripts.
  const generated = "src/status/page_files.ts";
  const others = ["bench", "demo", "examples", "lab", "man", "tasks", "tests"]
    .flatMap((folder) => [...walk(root, folder)])
    .filter((path) => path.endsWith(".ts"));
  const imported = new Set(
    ["mod.ts", ...modules, ...others]
      .flatMap((path) => [...importedNames(path)])
      .map((it) => it.join(" ")),
  );
  const unused = modules
    .filter((path) => ![...doors, generated].includes(path))
    .filter((path) => !imported.has(`${path} *`))
    .flatMap((path) => exportsOf(path).map((name) => `${path} ${name}`))
    .filter((it) => !imported.has(it));
  assert.deepEqual(unused, []);
});

Deno.test("a test that cannot run says why: see lab/test_unless.ts", () => {
  const silent = [...walk(root, "tests")]
    .filter((path) => path.endsWith(".ts"))
    .filter((path) =>
      /\bDeno\.test\(\{(?:(?!\bfn\b)[^])*\bignore\b/.test(
        Deno.readTextFileSync(new URL(path, root)),
      )
    );
  assert.deepEqual(silent, []);
});
