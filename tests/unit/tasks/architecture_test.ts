import assert from "node:assert/strict";
import { architectureOf } from "../../../tasks/deb/architecture.ts";
import { controlFiles } from "../../../tasks/deb/control.ts";

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

Deno.test("a package recommends the libraries that make it faster, where there are some", async () => {
  const recommended = async (architecture: string) => {
    const release = { version: "1", architecture, date: new Date(0) };
    const [control] = await controlFiles([], release);
    assert.ok(control !== undefined && "bytes" in control);
    const text = new TextDecoder().decode(control.bytes);
    return /^Recommends: (.*)$/m.exec(text)?.[1];
  };
  assert.equal(
    await recommended("amd64"),
    "libssl3t64 | libssl3, libipsec-mb2 | libipsec-mb1",
  );
  assert.equal(await recommended("arm64"), "libssl3t64 | libssl3");
});
