import { strict as assert } from "node:assert";
import { Coverage } from "./coverage.ts";
import { parseCorpus } from "./corpus.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Mutator } from "./mutator.ts";
import { parseOptions } from "./options.ts";
import { Random } from "./random.ts";
import {
  lineOf,
  type Progress,
  resultOf,
  tableOf,
  withResult,
} from "./results.ts";
import { distilled, shrunk } from "./shrink.ts";
import type { Target } from "./target.ts";

/** Fails at inputs with these bytes, one behind the other. */
function failingAt(...bytes: number[]): Target {
  return {
    seeds: [],
    run(input) {
      let at = -1;
      for (const byte of bytes) {
        at = input.indexOf(byte, at + 1);
        if (at < 0) return;
      }
      throw new Error("found");
    },
  };
}

Deno.test("the same seed gives the same inputs, another one gives others", async () => {
  const inputsOf = async (seed: number) => {
    const inputs: string[] = [];
    const seeds = [Uint8Array.of(1, 2, 3)];
    const run = (input: Uint8Array) => void inputs.push(input.join());
    const fuzzer = new Fuzzer({ seeds, run }, [], new Random(seed));
    await fuzzer.step(50);
    return inputs;
  };
  assert.deepEqual(await inputsOf(7), await inputsOf(7));
  assert.notDeepEqual(await inputsOf(7), await inputsOf(8));
});

Deno.test("mutations stay within the longest input and change nothing else", () => {
  const mutator = new Mutator(new Random(3), ["a word", ""]);
  const memory = new Uint8Array(40);
  const into = memory.subarray(8, 32);
  const from = new TextEncoder().encode("12 345 x");
  for (let k = 0; k < 20_000; k++) {
    const size = mutator.mutate(k % 3 ? from : new Uint8Array(), from, into);
    assert.ok(size >= 0 && size <= into.length);
  }
  const outside = [...memory.subarray(0, 8), ...memory.subarray(32)];
  assert.deepEqual(outside, Array(16).fill(0));
});

Deno.test("the fuzzer finds what fails, and the input is cut down to that", async () => {
  const target = failingAt(7, 200);
  let last = new Uint8Array();
  const starting = (input: Uint8Array) => last = input.slice();
  const fuzzer = new Fuzzer(target, [], new Random(1), undefined, starting);
  await assert.rejects(async () => {
    while (fuzzer.runs < 1e6) await fuzzer.step(64);
  }, /found/);
  assert.deepEqual(await shrunk(target, last, () => {}), Uint8Array.of(7, 200));
});

Deno.test("corpora are lines of digits, and comments", () => {
  assert.deepEqual(parseCorpus("# why\n00ff\n\n0a\n"), [
    Uint8Array.of(0, 255),
    Uint8Array.of(10),
  ]);
});

Deno.test("options of the fuzzer that make no sense are named", () => {
  const parse = (...argv: string[]) => parseOptions(argv, ["one", "two"], 5);
  assert.deepEqual(parse().targets, ["one", "two"]);
  assert.equal(parse().seconds, 10);
  assert.equal(parse("--runs", "9").seconds, Infinity);
  assert.equal(parse("two", "--seed", "3").seed, 3);
  assert.deepEqual([parse().jobs, parse("--jobs", "2").jobs], [1, 2]);
  assert.throws(() => parse("three"), /Cannot fuzz three: there are one, two/);
  assert.throws(() => parse("--runs", "0"), /--runs 0: it must be 1 or more/);
  assert.throws(() => parse("--input", "f"), /--input: name the one target/);
});

Deno.test("growth counts from a tenth of a run to its end", () => {
  const report = (runs: number, heap: number): Progress => ({
    ...{ kind: "progress", seconds: runs / 1000, found: 1, coverage: 9 },
    ...{ runs, heap },
  });
  const reports = [report(1, 1e6), report(100, 3e6), report(1000, 3.5e6)];
  const result = resultOf("one", 3, reports);
  assert.equal(result.growth, 0.5e6);
  assert.match(lineOf(result), /^one +1000 inputs +1000\/s +1 found, 9 bytes/);
  assert.match(
    tableOf([result]),
    /\n\| `one` \| 1000 \| 1000 \| 1 \| 9 \| 488 \|\n/,
  );
});

Deno.test("the last result of each target is kept, in the order of their names", () => {
  const result = (target: string, seed: number) => resultOf(target, seed, []);
  const before = [result("a", 1), result("c", 1)];
  const after = withResult(withResult(before, result("c", 2)), result("b", 2));
  assert.deepEqual(after, [result("a", 1), result("b", 2), result("c", 2)]);
});

Deno.test("code that was not run before is noticed once, and inputs that run it are kept", async () => {
  const { parseAddress } = await import("../../src/net/address.ts");
  const coverage = await Coverage.start();
  try {
    parseAddress("1.2.3.4");
    assert.equal(await coverage.hasGrown(false), true);
    parseAddress("1.2.3.4");
    assert.equal(await coverage.hasGrown(true), true);
    parseAddress("1.2.3.4");
    assert.equal(await coverage.hasGrown(true), false);
    const { bytes } = coverage;
    const target: Target = {
      seeds: [new TextEncoder().encode("1.2.3.4")],
      words: ["::", "%"],
      run: (input) => void parseAddress(new TextDecoder().decode(input)),
    };
    const fuzzer = new Fuzzer(target, [], new Random(5), coverage);
    await fuzzer.replay();
    for (let k = 0; k < 8; k++) await fuzzer.step(1000);
    assert.ok(coverage.bytes > bytes);
    const { found } = fuzzer;
    assert.equal(new Set(found.map(String)).size, found.length);
    const fewer = await distilled(target, coverage, [], found);
    assert.ok(fewer.length > 0 && fewer.length <= found.length);
    assert.deepEqual(await distilled(target, coverage, fewer, found), []);
  } finally {
    coverage.close();
  }
});
