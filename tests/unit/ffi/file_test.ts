import assert from "node:assert/strict";
import { O } from "../../../ffi/flags.ts";
import {
  readArguments,
  readDescriptor,
  readFile,
  writeDescriptor,
} from "../../../ffi/process/file.ts";
import { cString, type Libc } from "../../../ffi/libc.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

fileTest("readFile() reads a file longer than one read", (libc, folder) => {
  const content = crypto.getRandomValues(new Uint8Array(50_000));
  Deno.writeFileSync(`${folder}/file`, content);
  assert.deepEqual(readFile(libc, `${folder}/file`), content);
});

fileTest(
  "a long file is read and written in many calls, none of which keeps the processor for long",
  (libc, folder) => {
    const content = new Uint8Array(3_000_000).map((_, k) => k >> 7);
    const sizes: number[] = [];
    const watched: Libc = {
      ...libc,
      symbols: {
        ...libc.symbols,
        read: (fd, room, size) => {
          sizes.push(Number(size));
          return libc.symbols.read(fd, room, size);
        },
        write: (fd, bytes, size) => {
          sizes.push(Number(size));
          return libc.symbols.write(fd, bytes, size);
        },
      },
    };
    const path = `${folder}/file`;
    Deno.writeFileSync(path, new Uint8Array());
    const opened = (flags: number, work: (fd: number) => void) => {
      const fd = libc.symbols.open(cString(path), flags, 0);
      try {
        work(fd);
      } finally {
        libc.symbols.close(fd);
      }
    };
    opened(O.WRONLY, (fd) => writeDescriptor(watched, fd, path, content));
    opened(O.RDONLY, (fd) => {
      const { length } = content;
      const read = readDescriptor(watched, fd, path, length, length);
      assert.deepEqual(read, content);
    });
    assert.ok(sizes.length > 40);
    assert.ok(Math.max(...sizes) <= 1 << 17);
  },
);

fileTest("readFile() reads an empty file", (libc, folder) => {
  Deno.writeFileSync(`${folder}/file`, bytes(""));
  assert.equal(readFile(libc, `${folder}/file`).length, 0);
});

fileTest("readFile() reads files of /proc, whose size is 0", (libc) => {
  const status = new TextDecoder().decode(readFile(libc, "/proc/self/status"));
  assert.match(status, new RegExp(`^Pid:\\s+${Deno.pid}$`, "m"));
});

fileTest("readFile() refuses a file above the limit", (libc, folder) => {
  Deno.writeFileSync(`${folder}/file`, new Uint8Array(11));
  assert.equal(readFile(libc, `${folder}/file`, 11).length, 11);
  assert.throws(() => readFile(libc, `${folder}/file`, 10), {
    name: "RangeError",
    message: `Cannot read '${folder}/file': it is longer than 10 bytes`,
  });
});

fileTest(
  "readFile() names the file, the call and the error",
  (libc, folder) => {
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
  },
);

fileTest("readFile() refuses a path that C would cut", (libc) => {
  assert.throws(() => readFile(libc, "/proc/self/status\0x"), TypeError);
});

fileTest("readArguments() tells how this process was started", (libc) => {
  const args = readArguments(libc);
  assert.match(args[0] ?? "", /deno/);
  assert.equal(args[1], "test");
});
