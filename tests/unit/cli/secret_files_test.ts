import assert from "node:assert/strict";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { secretFiles } from "../../../src/cli/secret_files.ts";

Deno.test("a daemon that reads its files again waits for no pipe, and takes no descriptor for another", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    const [file, pipe] = [`${folder}/file`, `${folder}/pipe`];
    Deno.writeTextFileSync(file, "secret", { mode: 0o600 });
    Deno.symlinkSync(file, `${folder}/link`);
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const again = secretFiles(libc, new Map(), undefined, true);
    for (const path of [file, `${folder}/link`]) {
      assert.equal(again.readFile(path).bytes.length, 6);
      assert.equal(again.readCertificates(path).length, 6);
    }
    for (const read of [again.readFile, again.readCertificates]) {
      assert.throws(() => read(pipe), /again: it is a FIFO/);
      for (const path of ["/dev/fd/0", "/proc/self/fd/0", "/dev/stdin"]) {
        assert.throws(() => read(path), /again: it is a descriptor/);
      }
      assert.throws(() => read(`${folder}/none`), { code: "ENOENT" });
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});
