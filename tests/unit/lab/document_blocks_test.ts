import { strict as assert } from "node:assert";
import { blocksOf, looksLike, stepsOf } from "../../../lab/document_blocks.ts";

Deno.test("blocks of a document have their language, host and line", () => {
  const text =
    "Words.\n\n```sh left\nls\n```\n\n```yaml right /etc/a\na: 1\n```\n";
  assert.deepEqual(blocksOf(text), [
    { language: "sh", words: ["left"], text: "ls\n", line: 3 },
    { language: "yaml", words: ["right", "/etc/a"], text: "a: 1\n", line: 7 },
  ]);
});

Deno.test("steps have the command, over several lines too, and what is shown", () => {
  assert.deepEqual(stepsOf("# a \\\n  b\none\ntwo\n$ c\n"), [
    { command: "a \\\n  b", shown: "one\ntwo" },
    { command: "c", shown: undefined },
  ]);
});

Deno.test("an output looks as shown where only numbers differ, or what is left out", () => {
  assert.ok(looksLike("rtt 0.31 ms\n", "rtt 12.5  ms"));
  assert.ok(looksLike("a\nb\nc", "a\n…\nc"));
  assert.ok(!looksLike("a\nb", "a"));
  assert.ok(!looksLike("rtt 1 s", "rtt 1 ms"));
  assert.ok(!looksLike("ab", "a.b"));
});
