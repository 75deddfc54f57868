import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { asBinary } from "../../lab/programs.ts";

/** The packages of a lock file, as `@scope/name@1.2.3`. */
function packagesOf(lock: string): string[] {
  const url = new URL(`../../${lock}`, import.meta.url);
  return Object.keys(JSON.parse(Deno.readTextFileSync(url)).npm);
}

function nameOf(packageId: string): string {
  return packageId.slice(0, packageId.lastIndexOf("@"));
}

const { command: [binary = ""], missing } = asBinary;

Deno.test({
  name: "the binary holds the packages of the program and none of the tests" +
    (missing === null ? "" : ` (skipped: ${missing})`),
  ignore: missing !== null,
  async fn() {
    const bytes = Buffer.from((await Deno.readFile(binary)).buffer);
    const held = packagesOf("deno.lock").filter((id) =>
      bytes.includes(`"name": "${nameOf(id)}"`)
    );
    assert.deepEqual(held, packagesOf("build.lock"));
  },
});

Deno.test({
  name: "the binary bounds what the runtime keeps for new objects" +
    (missing === null ? "" : ` (skipped: ${missing})`),
  ignore: missing !== null,
  async fn() {
    const bytes = Buffer.from((await Deno.readFile(binary)).buffer);
    assert.ok(bytes.includes('"--max-semi-space-size=1"'));
  },
});
