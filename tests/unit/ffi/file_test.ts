import assert from "node:assert/strict";
import { readArguments, readFile } from "../../../ffi/process/file.ts";
import { type Libc, openLibc } from "../../../ffi/libc.ts";

function test(name: string, body: (libc: Libc, folder: string) => void): void {
  Deno.test(name, () => {
    const libc = openLibc();
    const folder = Deno.makeTempDirSync();
    try {
      body(libc, folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
      libc.close();
    }
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("readFile() reads a file longer than one read", (libc, folder) => {
  const content = crypto.getRandomValues(new Uint8Array(50_000));
  Deno.writeFileSync(`${folder}/file`, content);
  assert.deepEqual(readFile(libc, `${folder}/file`), content);
});

test("readFile() reads an empty file", (libc, folder) => {
  Deno.writeFileSync(`${folder}/file`, bytes(""));
  assert.equal(readFile(libc, `${folder}/file`).length, 0);
});

test("readFile() reads files of /proc, whose size is 0", (libc) => {
  const status = new TextDecoder().decode(readFile(libc, "/proc/self/status"));
  assert.match(status, new RegExp(`^Pid:\\s+${Deno.pid}$`, "m"));
});

test("readFile() refuses a file above the limit", (libc, folder) => {
  Deno.writeFileSync(`${folder}/file`, new Uint8Array(11));
  assert.equal(readFile(libc, `${folder}/file`, 11).length, 11);
  assert.throws(() => readFile(libc, `${folder}/file`, 10), {
    name: "RangeError",
    message: `Cannot read '${folder}/file': it is longer than 10 bytes`,
  });
});

test("readFile() names the file, the call and the error", (libc, folder) => {
  assert.throws(() => readFile(libc, `${folder}/none`), {
    name: "SystemError",
    message:
      `Cannot open '${folder}/none': No such file or directory (open(), ENOENT)`,
    syscall: "open",
    code: "ENOENT",
    errno: 2,
  });
  assert.throws(() => readFile(libc, folder), {
    syscall: "read",
    code: "EISDIR",
  });
});

test("readFile() refuses a path that C would cut", (libc) => {
  assert.throws(() => readFile(libc, "/proc/self/status\0x"), TypeError);
});

test("readArguments() tells how this process was started", (libc) => {
  const args = readArguments(libc);
  assert.match(args[0] ?? "", /deno/);
  assert.equal(args[1], "test");
});
