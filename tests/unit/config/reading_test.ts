import assert from "node:assert/strict";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { readCommandLine } from "../../../src/config/command_line.ts";
import { controldTable } from "../../../src/config/controld.ts";
import type { InForce } from "../../../src/config/reading.ts";
import { isSame } from "../../../src/config/same.ts";
import { fakeSecretFiles } from "../../fakes/secret_files.ts";

const RUNTIME = { deno: "2.9.6", v8: "15.0" };

/** Reads with a table, of which two options are live. */
function read(argv: readonly string[], inForce?: InForce) {
  const { localPort, remotePort, windowSize, routes, key, log } = anytunTable;
  const table = { localPort, remotePort, windowSize, routes, key, log };
  const result = readCommandLine(
    {
      name: "anytun",
      table,
      sections: [],
      settle: ({ values }, warn) => {
        if (values.remotePort === 7) warn("7 is a port for echoes");
        if (values.localPort === 1) throw new Error("1 is no port");
        return values;
      },
    },
    argv,
    RUNTIME,
    { inForce },
  );
  assert.equal(result.kind, "run");
  return result;
}

function inForce(argv: readonly string[]): InForce {
  const live = ["remotePort", "routes"];
  return { values: read(argv).values, isLive: (key) => live.includes(key) };
}

Deno.test("what is live changes, and what is not waits with its old value", () => {
  const before = inForce(["-p", "4000", "-o", "5000", "-R", "10.0.0.0/8"]);
  const argv = ["-p", "4001", "-o", "7", "-R", "10.0.0.0/8", "-w", "64"];
  const { options, values, changed, warnings } = read(argv, before);
  assert.deepEqual(changed, {
    live: ["--remote-port"],
    waiting: ["--port", "--window-size"],
  });
  assert.equal(options.localPort, 4000);
  assert.equal(options.windowSize, undefined);
  assert.equal(options.remotePort, 7);
  assert.equal(values.localPort, 4000);
  assert.equal(values.remotePort, 7);
  assert.deepEqual(warnings, ["7 is a port for echoes"]);
});

Deno.test("what waits for the next start is named each time, until it is back", () => {
  const before = inForce(["-p", "4000"]);
  const once = read(["-p", "4001"], before);
  const twice = read(["-p", "4001"], { ...before, values: once.values });
  assert.deepEqual(twice.changed.waiting, ["--port"]);
  const back = read(["-p", "4000"], { ...before, values: twice.values });
  assert.deepEqual(back.changed.waiting, []);
});

Deno.test("what waits for the next start is checked at once", () => {
  assert.throws(() => read(["-p", "1"], inForce(["-p", "4000"])), /1 is no/);
});

Deno.test("the values of a reading tell no secret", () => {
  const { values, options } = read(["-K", "00".repeat(16), "-p", "4000"]);
  assert.equal(options.key?.length, 16);
  assert.ok(!("key" in values));
  assert.equal(values.localPort, 4000);
});

Deno.test("values are what the daemon in the background gets, too", () => {
  const argv = [
    ...["-E", "x", "-R", "10.0.0.0/8,fd00::/8", "-L", "file:3,a", "-s", "auto"],
    ...["-n", "10.9.0.1/24", "-M", "a:7,unix:/b"],
  ];
  const read = readAnytunCommandLine(argv, RUNTIME, fakeSecretFiles());
  assert.equal(read.kind, "run");
  assert.ok(isSame(read.values, structuredClone(read.values)));
});

Deno.test("values are the same if all that they are made of is", () => {
  const value = { a: [1, { b: "c" }], d: Uint8Array.of(1, 2), e: Infinity };
  assert.ok(isSame(value, structuredClone(value)));
  for (
    const other of [
      { ...value, a: [1, { b: "d" }] },
      { ...value, d: Uint8Array.of(1, 3) },
      { ...value, d: Uint8Array.of(1) },
      { ...value, e: undefined },
      { ...value, f: undefined },
      { ...value, a: { 0: 1, 1: { b: "c" } } },
    ]
  ) {
    assert.ok(!isSame(value, other));
    assert.ok(!isSame(other, value));
  }
});

Deno.test("no two options of a daemon have one name in messages", () => {
  for (const table of [anytunTable, controldTable]) {
    const names = Object.values(table).map(({ long }) => long);
    assert.equal(new Set(names).size, names.length);
  }
});
