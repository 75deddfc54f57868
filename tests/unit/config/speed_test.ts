import { strict as assert } from "node:assert";
import { faultOf, readAnytun, runOf } from "../../samples/command_lines.ts";

function run(...argv: string[]) {
  return runOf(readAnytun(argv)).options;
}

Deno.test("the engine and the number of workers can be chosen", () => {
  assert.equal(run().engine, "auto");
  for (const name of ["auto", "ipsec-mb", "openssl", "builtin", "webcrypto"]) {
    assert.equal(run("--engine", name).engine, name);
  }
  assert.equal(run().workers, "auto");
  assert.equal(run("--workers", "auto").workers, "auto");
  for (const workers of [1, 2, 3, 16, 64]) {
    assert.equal(run("--workers", `${workers}`).workers, workers);
  }
});

Deno.test("offloads are a list, all, or none", () => {
  assert.deepEqual(run("--offload", "none").offloads, new Set());
  assert.deepEqual(run("--offload", "all").offloads, run().offloads);
  assert.deepEqual(
    run("--offload", "gro,tso").offloads,
    new Set(["tso", "gro"]),
  );
});

for (
  const [option, value] of [
    ["--engine", "libressl"],
    ["--workers", "0"],
    ["--workers", "65"],
    ["--workers", "2.5"],
    ["--workers", "all"],
    ["--offload", "tso,lro"],
    ["--offload", "tso,"],
    ["--offload", "none,tso"],
  ] as const
) {
  Deno.test(`${option} does not take ${value}`, () => {
    const fault = faultOf(readAnytun([option, value]));
    assert.match(fault, new RegExp(`${option} needs`));
  });
}
