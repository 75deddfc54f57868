import assert from "node:assert/strict";
import {
  anytunTable,
  readAnytunCommandLine,
} from "../../../src/config/anytun.ts";
import { readCommandLine } from "../../../src/config/command_line.ts";
import { controldTable } from "../../../src/config/controld.ts";
import type { OptionTable } from "../../../src/config/option.ts";
import { type InForce, readingOf } from "../../../src/config/reading.ts";
import { isSame } from "../../../src/config/same.ts";
import { settingsOf } from "../../../src/config/values.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

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
  const read = readAnytunCommandLine(argv, RUNTIME, fakeHostFiles());
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

for (
  const [program, table] of Object.entries({
    anytun: anytunTable,
    "anytun-controld": controldTable,
  })
) {
  Deno.test(`each option of ${program} is live, or named as one that waits`, () => {
    const options: OptionTable = table;
    const settings = settingsOf(options, []);
    const before = readingOf(options, settings, ({ values }) => values);
    for (const key of Object.keys(before.values)) {
      for (const isLive of [false, true]) {
        const other = { not: settings.values[key] };
        const values = { ...settings.values, [key]: other };
        const next = { ...settings, values };
        const { changed, options: taken } = readingOf(
          options,
          next,
          ({ values }) => values,
          { values: before.values, isLive: () => isLive },
        );
        const name = [options[key]?.long];
        assert.deepEqual(changed, {
          live: isLive ? name : [],
          waiting: isLive ? [] : name,
        });
        assert.equal(taken[key] === other, isLive);
      }
    }
  });
}

/** The keys that services say are live, from their text. */
function liveKeys(): Set<string> {
  const folder = new URL("../../../src/daemon/", import.meta.url);
  const texts = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .map((name) => Deno.readTextFileSync(new URL(name, folder)));
  const lists = texts.flatMap((
    text,
  ) => [...text.matchAll(/\blive(?: = |: )(\[.*?\]);/gs)]);
  return new Set(
    lists.flatMap(([, list = ""]) =>
      [...list.matchAll(/"(\w+)"/g)].map(([, key = ""]) => key)
    ),
  );
}

Deno.test("what services call live are options, and among them are all secrets", () => {
  const tables: OptionTable[] = [anytunTable, controldTable];
  const live = liveKeys();
  assert.ok(live.has("routes") && live.has("log"));
  for (const key of live) {
    assert.ok(tables.some((table) => key in table), key);
  }
  // Values of these are not compared: none can be named as one that waits.
  for (
    const [key, option] of tables.flatMap((table) => Object.entries(table))
  ) {
    if ("secret" in option && option.secret) assert.ok(live.has(key), key);
  }
});

Deno.test("docs/configuration.md names what changes at a HUP, and nothing else", () => {
  const document = new URL("../../../docs/configuration.md", import.meta.url);
  const [, paragraph = ""] = /^At once change (.*?)\n\n/ms
    .exec(Deno.readTextFileSync(document)) ?? [];
  const named = paragraph.matchAll(/`([a-z-]+)`/g).map(([, key = ""]) => key);
  // As "keys and the passphrase", and as "the certificates of" the first.
  const inWords = /^(passphrase|key|salt)(File)?$|^syncTls(Key|Ca)$/;
  const table: OptionTable = anytunTable;
  const live = [...liveKeys()].filter((key) => !inWords.test(key))
    .flatMap((key) => table[key]?.long.slice(2) ?? []);
  assert.deepEqual([...named].toSorted(), live.toSorted());
});
