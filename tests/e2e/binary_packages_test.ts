import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { asBinary } from "../../lab/programs.ts";

const { command: [binary = ""], missing } = asBinary;

Deno.test({
  name: "the binary holds what the program imports, and no package as a whole" +
    (missing === null ? "" : ` (skipped: ${missing})`),
  ignore: missing !== null,
  async fn() {
    const bytes = Buffer.from((await Deno.readFile(binary)).buffer);
    const lock = new URL("../../deno.lock", import.meta.url);
    const { npm } = JSON.parse(Deno.readTextFileSync(lock));
    const names = Object.keys(npm).map((id) =>
      id.slice(0, id.lastIndexOf("@"))
    );
    const held = names.filter((name) => bytes.includes(`"name": "${name}"`));
    assert.deepEqual(held, []);
    assert.ok(bytes.includes('"logtape"'), "LogTape is not in it");
  },
});

// The runtime would read it from a name that is known beforehand, whoever made
// the file, and run what it says.
Deno.test({
  name: "the binary leaves and takes no compiled code in the temporary folder" +
    (missing === null ? "" : ` (skipped: ${missing})`),
  ignore: missing !== null,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const { success } = await new Deno.Command(binary, {
        args: ["--version"],
        env: { TMPDIR: folder },
        stdout: "null",
      }).output();
      assert.ok(success);
      assert.deepEqual([...Deno.readDirSync(folder)], []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
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
