import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { walk } from "./walk.ts";

const root = new URL("../../", import.meta.url);

/** What the tests of the lock files need of them. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
  readonly workspace: unknown;
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

const whole: Lock = JSON.parse(read("deno.lock"));
const build: Lock = JSON.parse(read("build.lock"));

Deno.test("build.lock names the packages that the program imports, and no other", () => {
  const paths = [...walk(root, "src"), ...walk(root, "ffi"), "mod.ts"];
  const text = paths.map(read).join("\n");
  const imported = Object.entries(project.imports)
    .filter(([name]) => text.includes(`from "${name}"`));
  assert.deepEqual(
    Object.keys(build.specifiers),
    imported.map(([, specifier]) => specifier),
  );
});

Deno.test("build.lock has the same of every package as deno.lock", () => {
  for (const [name, entry] of Object.entries(build.npm)) {
    assert.deepEqual(entry, whole.npm[name]);
  }
  assert.deepEqual(build.workspace, whole.workspace);
});
