import { strict as assert } from "node:assert";
import { corpusNames, readCorpus } from "./corpus.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Random } from "./random.ts";
import { openTarget, targetNames } from "./target.ts";

/** What `deno task fuzz` does without end. */
const RUNS = 3000;

for (const name of targetNames()) {
  Deno.test(`the fuzz target ${name} takes its corpus and ${RUNS} changed inputs`, async () => {
    const target = await openTarget(name);
    const fuzzer = new Fuzzer(target, readCorpus(name), new Random(1));
    await fuzzer.replay();
    const before = fuzzer.runs;
    while (fuzzer.runs < before + RUNS) {
      await fuzzer.step(before + RUNS - fuzzer.runs);
    }
    assert.equal(fuzzer.runs, before + RUNS);
  });
}

Deno.test("every corpus belongs to a fuzz target", () => {
  const names = new Set(targetNames());
  assert.deepEqual(corpusNames().filter((name) => !names.has(name)), []);
});
