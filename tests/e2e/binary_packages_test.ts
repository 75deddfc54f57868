import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { asBinary } from "../../lab/programs.ts";
import { testUnless } from "../../lab/test_unless.ts";

const { command: [binary = ""], missing } = asBinary;

testUnless(
  [missing],
  "the binary holds what the program imports, and no package as a whole",
  async () => {
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
);

// The runtime would read it from a name that is known beforehand, whoever made
// the file, and run what it says.
testUnless(
  [missing],
  "the binary leaves and takes no compiled code in the temporary folder",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const cache = `${folder}/deno-compile-anytun.cache`;
      const made = await new Deno.Command("mkfifo", { args: [cache] }).output();
      assert.ok(made.success);
      // Whoever opens a FIFO for writing waits for somebody who reads it.
      const writer = spawn("sh", ["-c", 'exec >"$0"', cache]);
      const program = spawn(binary, ["--version"], { TMPDIR: folder });
      const first = await Promise.race([
        writer.status.then(() => "the cache is read"),
        program.status.then(() => "the program ends"),
      ]);
      if (first === "the program ends") writer.kill();
      await Promise.all([writer.status, program.status]);
      assert.equal(first, "the program ends");
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assert.deepEqual(names, ["deno-compile-anytun.cache"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

function spawn(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  return new Deno.Command(command, { args, env, stdout: "null" }).spawn();
}

testUnless(
  [missing],
  "the binary bounds what the runtime keeps for new objects",
  async () => {
    const bytes = Buffer.from((await Deno.readFile(binary)).buffer);
    assert.ok(bytes.includes('"--max-semi-space-size=1"'));
  },
);
