import assert from "node:assert/strict";
import { readWithdrawCommandLine } from "../../../src/config/withdraw_program.ts";
import { formatPrefix } from "../../../src/net/prefix.ts";
import { type FakeFile, fakeHostFiles } from "../../fakes/host_files.ts";
import { RUNTIME } from "../../samples/command_lines.ts";

function read(argv: readonly string[], files: Record<string, FakeFile> = {}) {
  return readWithdrawCommandLine(argv, RUNTIME, fakeHostFiles(files));
}

function faultOf(...argv: readonly string[]): string {
  const line = read(argv);
  assert.equal(line.kind, "error");
  return line.stderr;
}

Deno.test("what is to be withdrawn is in the config, and no other fault of it matters", () => {
  const text = "anycast-address: 192.0.2.1/32\nanycast-device: any0\n" +
    "announce-script: /bin/tell\nkey-file: /nowhere\nusername: stranger\n";
  const line = read(["vpn"], { "/etc/anytun/vpn.yaml": { text } });
  assert.equal(line.kind, "run");
  const { name, announce } = line.options;
  assert.equal(name, "vpn");
  assert.deepEqual(announce?.addresses.map(formatPrefix), ["192.0.2.1/32"]);
  assert.equal(announce?.device, "any0");
  assert.equal(announce?.script, "/bin/tell");
  assert.deepEqual(line.warnings, []);
  const other = read(["./b.yaml"], { "/home/b.yaml": { text: "mux: 1\n" } });
  assert.equal(other.kind === "run" && other.options.announce, undefined);
});

Deno.test("withdrawing takes the name of one config", () => {
  assert.match(faultOf(), /^Cannot withdraw anything without a name/);
  assert.match(faultOf("a", "b"), /^Cannot take 'b': one config at a time/);
  assert.match(faultOf("a"), /^Cannot find the config 'a'/);
  assert.match(faultOf("a", "--mtu", "3"), /see anytun withdraw --help/);
});
