import assert from "node:assert/strict";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { fakeSecretFiles } from "../../fakes/secret_files.ts";

function read(...argv: string[]) {
  const line = ["-D", "-E", "x", ...argv];
  const runtime = { deno: "2.9.6", v8: "15.0" };
  return readAnytunCommandLine(line, runtime, fakeSecretFiles());
}

function choice(...argv: string[]) {
  const result = read(...argv);
  assert.equal(result.kind, "run", JSON.stringify(result));
  const { dscp, ecn } = result.options;
  return { dscp, ecn };
}

Deno.test("marks of congestion go with a DSCP that is copied, unless told otherwise", () => {
  assert.deepEqual(choice(), { dscp: "off", ecn: false });
  assert.deepEqual(choice("--dscp", "copy"), { dscp: "copy", ecn: true });
  assert.deepEqual(choice("--dscp", "46"), { dscp: 46, ecn: false });
  assert.deepEqual(choice("--ecn", "on"), { dscp: "off", ecn: true });
  const both = choice("--dscp", "copy", "--ecn", "off");
  assert.deepEqual(both, { dscp: "copy", ecn: false });
});

Deno.test("a DSCP is copied, off or a number of six bits, and ECN on or off", () => {
  for (const wrong of ["64", "-1", "0x2e", "ef", ""].slice(0, 4)) {
    const result = read(`--dscp=${wrong}`);
    assert.equal(result.kind, "error", wrong);
  }
  const { kind, stderr } = { stderr: "", ...read("--dscp", "64") };
  assert.equal(kind, "error");
  assert.match(stderr, /copy, off, or a number from 0 to 63/);
  const ecn = read("--ecn", "yes");
  assert.equal(ecn.kind, "error");
  assert.match(ecn.stderr, /needs on or off/);
});
