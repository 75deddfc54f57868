import { strict as assert } from "node:assert";
import { TABLES } from "../../../man/programs.ts";
import { keysOf, readTexts } from "../../../man/texts.ts";
import type { ProgramName } from "../../../src/config/programs.ts";

const texts = await readTexts();
const options = Object.entries(TABLES).flatMap(([program, table]) =>
  Object.values(table).map((option) => keysOf(program as ProgramName, option))
);
Deno.test("every option of every program has a longer text in man/texts", () => {
  const missing = options.filter((keys) => !keys.some((key) => texts.has(key)))
    .map(([key]) => key);
  assert.deepEqual(missing, []);
});

Deno.test("every longer text in man/texts is about an option that some program has", () => {
  const known = new Set(options.flat());
  assert.deepEqual([...texts.keys()].filter((key) => !known.has(key)), []);
});
