import assert from "node:assert/strict";
import { architectureOf } from "../../../tasks/deb/architecture.ts";

function elfOf(machine: number): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header[18] = machine;
  return header;
}

Deno.test("a package is for the machine that its program is for", () => {
  assert.equal(architectureOf(elfOf(62)), "amd64");
  assert.equal(architectureOf(elfOf(183)), "arm64");
  assert.throws(() => architectureOf(elfOf(243)), /no known machine: 243/);
  assert.throws(() => architectureOf(new Uint8Array(64)), /no ELF file/);
});
