import assert from "node:assert/strict";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { systemFiles } from "../../../src/daemon/system_files.ts";
import { systemWorld } from "../../../src/daemon/system_world.ts";

Deno.test("a file of secrets that is a pipe is read once, and then waited for no more", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    const [file, pipe] = [`${folder}/file`, `${folder}/pipe`];
    Deno.writeTextFileSync(file, "secret", { mode: 0o600 });
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const { readSecretFile } = systemWorld(libc, new Map());
    for (let k = 0; k < 3; k++) {
      assert.equal(readSecretFile(file).bytes.length, 6);
    }
    const args = ["-c", 'printf once >"$0"', pipe];
    const writer = new Deno.Command("sh", { args }).spawn();
    assert.equal(readSecretFile(pipe).bytes.length, 4);
    await writer.status;
    assert.throws(() => readSecretFile(pipe), /again: it is a FIFO/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});

Deno.test("the version of a file moves with what it holds, and with which file it is", () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/file`;
    const { fileVersion } = systemWorld(libc, new Map());
    const versions = [fileVersion(file)];
    assert.equal(versions[0], undefined);
    Deno.writeTextFileSync(file, "a", { mode: 0o600 });
    versions.push(fileVersion(file));
    assert.equal(fileVersion(file), versions[1]);
    Deno.writeTextFileSync(file, "ab");
    versions.push(fileVersion(file));
    Deno.writeTextFileSync(`${folder}/other`, "ab");
    Deno.renameSync(`${folder}/other`, file);
    versions.push(fileVersion(file));
    assert.equal(new Set(versions).size, versions.length);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});

Deno.test("the version of a file is asked of the host that has it, whatever is remembered here", () => {
  const libc = openProcessLibc();
  const asked: number[] = [];
  const { statx } = libc.process;
  const process: typeof libc.process = {
    ...libc.process,
    statx(fd, path, flags, mask, result) {
      asked.push(flags);
      return statx(fd, path, flags, mask, result);
    },
  };
  try {
    const { fileVersion } = systemFiles({ ...libc, process }, (path) => path);
    const forceSync = 0x2000; // AT_STATX_FORCE_SYNC of <linux/fcntl.h>
    assert.notEqual(fileVersion("/proc/self/exe"), undefined);
    assert.deepEqual(asked, [forceSync]);
  } finally {
    libc.close();
  }
});
