import assert from "node:assert/strict";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { hostFiles, StandardInput } from "../../../src/cli/host_files.ts";

Deno.test("a daemon that reads its files again waits for no pipe, and takes no descriptor for another", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    const [file, pipe] = [`${folder}/file`, `${folder}/pipe`];
    Deno.writeTextFileSync(file, "secret", { mode: 0o600 });
    Deno.symlinkSync(file, `${folder}/link`);
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const again = hostFiles(libc, new Map(), "again");
    for (const path of [file, `${folder}/link`]) {
      assert.equal(again.readFile(path)?.bytes.length, 6);
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

Deno.test("who only looks at a config takes nothing that can be read once, and waits for nobody", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    const [file, pipe] = [`${folder}/file`, `${folder}/pipe`];
    Deno.writeTextFileSync(file, "secret", { mode: 0o600 });
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const look = hostFiles(libc, new Map(), "look");
    assert.equal(look.readFile(file)?.bytes.length, 6);
    const credential = "/run/credentials/anytun@none.service/sync-tls-key";
    for (const path of [pipe, "/dev/fd/0", "/dev/stdin", credential]) {
      assert.equal(look.readFile(path), undefined, path);
    }
    assert.equal(look.readStandardInput(), undefined);
    assert.throws(() => look.readFile(`${folder}/none`), { code: "ENOENT" });
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});

Deno.test("a daemon has of its standard input what it has read at the start, and waits for no more", () => {
  const libc = openProcessLibc();
  try {
    const read = new StandardInput(libc, new TextEncoder().encode("secret"));
    const again = hostFiles(libc, new Map(), "again", read);
    for (let times = 0; times < 2; times++) {
      const { bytes } = again.readStandardInput() ?? {};
      assert.equal(new TextDecoder().decode(bytes), "secret");
      bytes?.fill(0);
    }
    const without = hostFiles(libc, new Map(), "again");
    assert.throws(() => without.readStandardInput(), /at the start alone/);
  } finally {
    libc.close();
  }
});

Deno.test("what lies at a path is told without opening it", () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/file`, "", { mode: 0o600 });
    Deno.writeTextFileSync(`${folder}/program`, "", { mode: 0o700 });
    const { kindOf } = hostFiles(libc, new Map(), "look");
    assert.deepEqual(
      ["", "/file", "/program", "/none", "/file/none"]
        .map((name) => kindOf(folder + name)),
      ["folder", "file", "program", "none", "none"],
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});
