import { strict as assert } from "node:assert";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { ClientFiles, LostKeyError } from "../../../src/cli/client_files.ts";
import { UnsureError } from "../../../src/fleet/clients.ts";

const CONFIG = "key: 00ff\n";
const TEXTS = { config: CONFIG, chain: undefined };

/** Standard output that may be a pipe nobody reads. */
class Output {
  text = "";
  isBroken = false;

  writeSync(bytes: Uint8Array): number {
    if (this.isBroken) throw new Error("EPIPE");
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }
}

interface Rig {
  readonly printed: ClientFiles;
  readonly written: ClientFiles;
  readonly path: string;
  readonly output: Output;
}

function test(name: string, body: (rig: Rig) => Promise<void>): void {
  Deno.test(name, async () => {
    const libc: ProcessLibc = openProcessLibc();
    const folder = Deno.makeTempDirSync();
    const path = `${folder}/config.yaml`;
    const output = new Output();
    const filesIn = (out: string) =>
      new ClientFiles({ out, chainFile: undefined }, libc, output);
    try {
      const [printed, written] = [filesIn("-"), filesIn(path)];
      await body({ printed, written, path, output });
    } finally {
      Deno.removeSync(folder, { recursive: true });
      libc.close();
    }
  });
}

/** A change that ends so, with the config there before. */
function change(files: ClientFiles, error?: Error): Promise<string> {
  return files.forChange(() => {
    files.write(TEXTS);
    return error === undefined
      ? Promise.resolve("done")
      : Promise.reject(error);
  });
}

const UNSURE = new UnsureError(new Error("no answer"));

test("a key is printed once the store has it", async ({ printed, output }) => {
  assert.equal(await change(printed), "done");
  assert.equal(output.text, CONFIG);
});

test("a key that the store has not taken is neither printed nor left in a file", async ({ printed, written, path, output }) => {
  const refused = new Error("permission denied");
  await assert.rejects(change(printed, refused), refused);
  await assert.rejects(change(written, refused), refused);
  assert.equal(output.text, "");
  assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
});

test("a key that the store may have taken is printed, and left in a file", async ({ printed, written, path, output }) => {
  await assert.rejects(change(printed, UNSURE), UNSURE);
  await assert.rejects(change(written, UNSURE), UNSURE);
  assert.equal(output.text, CONFIG);
  assert.equal(Deno.readTextFileSync(path), CONFIG);
});

test("a key that cannot be printed is told of as lost, and the change as done", async ({ printed, output }) => {
  output.isBroken = true;
  await assert.rejects(change(printed), (error) => {
    assert.ok(error instanceof LostKeyError);
    assert.match(error.message, /by now.*EPIPE.*rotate gives it other ones/);
    return true;
  });
});
