import { strict as assert } from "node:assert";
import { anytunTable } from "../../../src/config/anytun.ts";
import { readArguments } from "../../../src/config/arguments.ts";
import { deviceOf, deviceRows, mtuOf } from "../../../src/config/device.ts";
import { OptionFault } from "../../../src/config/fault.ts";
import type { OptionTable } from "../../../src/config/option.ts";
import {
  type GivenValues,
  type Origin,
  settingsOf,
} from "../../../src/config/values.ts";

type Given = GivenValues<typeof anytunTable>;

const ARGUMENT: Origin = { kind: "argument" };
const line = (line: number): Origin => ({ kind: "file", path: "vpn", line });

function given(...argv: string[]): Given {
  const read = readArguments(anytunTable, argv);
  assert.equal(read.kind, "values");
  return read.given;
}

const FILE: Given = {
  localPort: [{ value: 1, origin: line(2) }, { value: 2, origin: line(3) }],
  mux: [{ value: 7, origin: line(4) }],
  log: [
    { value: { kind: "stdout", level: 1 }, origin: line(5) },
    { value: { kind: "stderr", level: 2 }, origin: line(6) },
  ],
  foreground: [{ value: true, origin: line(7) }],
};

Deno.test("arguments are given values, each with its origin, and nothing else is", () => {
  assert.deepEqual(given("-p", "1", "-D", "--port", "2", "-r", ""), {
    localPort: [
      { value: 1, origin: ARGUMENT, text: "1" },
      { value: 2, origin: ARGUMENT, text: "2" },
    ],
    foreground: [{ value: true, origin: ARGUMENT }],
    remoteHost: [{ value: undefined, origin: { kind: "default" } }],
  });
});

Deno.test("the upper of two sources has the last word, option by option", () => {
  const upper = given("-p", "9", "-L", "stderr:5");
  const { values, origins } = settingsOf(anytunTable, [upper, FILE]);
  assert.equal(values.localPort, 9);
  assert.deepEqual(origins.localPort, ARGUMENT);
  assert.equal(values.mux, 7);
  assert.deepEqual(origins.mux, line(4));
  assert.deepEqual(values.log, [{ kind: "stderr", level: 5 }], "not both");
  assert.equal(values.foreground, true);
  assert.deepEqual(origins.foreground, line(7));
});

Deno.test("of one source the last value counts, or all of them where they collect", () => {
  const { values, origins } = settingsOf(anytunTable, [{}, FILE]);
  assert.equal(values.localPort, 2);
  assert.deepEqual(origins.localPort, line(3));
  assert.deepEqual(values.log.map(({ kind }) => kind), ["stdout", "stderr"]);
});

Deno.test("defaults fill what no source gives, and say so", () => {
  const { values, origins } = settingsOf(anytunTable, [{}, {}]);
  assert.equal(values.localPort, 4444);
  assert.equal(values.remoteHost, undefined);
  assert.equal(values.foreground, false);
  assert.deepEqual(values.routes, []);
  for (const origin of Object.values(origins)) {
    assert.deepEqual(origin, { kind: "default" });
  }
  assert.ok(!("help" in values));
});

Deno.test("an empty argument takes back what the file says, and nothing that an argument says", () => {
  const of = (...argv: string[]) =>
    settingsOf(anytunTable, [given(...argv), FILE]);
  const { values, origins } = of("-m", "", "-p", "5", "-p", "");
  assert.equal(values.mux, 0);
  assert.deepEqual(origins.mux, { kind: "default" });
  assert.equal(values.localPort, 5);
  assert.equal(of("-m", "", "-m", "9").values.mux, 9);
});

Deno.test("an argument takes a flag of the file back", () => {
  const of = (...argv: string[]) =>
    settingsOf(anytunTable, [given(...argv), FILE]);
  for (const [argument, value] of [["false", false], ["true", true]] as const) {
    const { values, origins } = of(`--nodaemonize=${argument}`);
    assert.equal(values.foreground, value);
    assert.deepEqual(origins.foreground, ARGUMENT);
  }
  assert.equal(of("--nodaemonize=false", "-D").values.foreground, true);
  assert.equal(of("-D", "--nodaemonize=false").values.foreground, false);
});

Deno.test("errors and warnings name the line of the file that they are about", () => {
  const settings = settingsOf(deviceRows, [{
    deviceName: [{ value: "vpn", origin: line(3) }],
    mtu: [{ value: 1000, origin: line(8) }],
  }]);
  assert.throws(
    () => deviceOf(settings, assert.fail),
    new OptionFault(
      "Cannot tell the type of device 'vpn' (--dev in vpn:3): " +
        "add --type tun or --type tap",
    ),
  );
  const warnings: string[] = [];
  mtuOf(settings, "tun", 10, (text) => warnings.push(text));
  assert.deepEqual(warnings, [
    "--mtu in vpn:8 has no effect without --ifconfig (-n)",
  ]);
});

Deno.test("what an option replaces are options", () => {
  const table: OptionTable = anytunTable;
  for (const [key, { replaces = [] }] of Object.entries(table)) {
    for (const other of replaces) assert.ok(other in table, `${key}: ${other}`);
  }
  assert.ok(table["passphrase"]?.replaces?.includes("keyFile"));
});
