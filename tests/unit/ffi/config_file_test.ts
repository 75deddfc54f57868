import assert from "node:assert/strict";
import {
  isOpenToOthers,
  otherWriters,
  readConfigFile,
} from "../../../ffi/process/config_file.ts";
import type { ProcessLibc } from "../../../ffi/process/libc.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const LIMIT = 100;

function test(
  name: string,
  body: (libc: ProcessLibc, path: string, folder: string) => unknown,
): void {
  fileTest(name, (libc, folder) => body(libc, `${folder}/vpn.yaml`, folder));
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("a config file is read to its end, also by a link", (libc, path) => {
  Deno.writeTextFileSync(path, "port: 1\n", { mode: 0o640 });
  Deno.symlinkSync(path, `${path}.link`);
  const { bytes, status } = readConfigFile(libc, `${path}.link`, LIMIT);
  assert.equal(text(bytes), "port: 1\n");
  assert.equal(status.mode & 0o777, 0o640, "that of the file itself");
});

test("what is no regular file is refused, a FIFO without waiting", async (
  libc,
  path,
  folder,
) => {
  const { success } = await new Deno.Command("mkfifo", { args: [path] })
    .output();
  assert.ok(success);
  // Or nobody would ever come back: there is no writer.
  assert.throws(() => readConfigFile(libc, path, LIMIT), /it is a FIFO/);
  assert.throws(() => readConfigFile(libc, folder, LIMIT), /it is a folder/);
  assert.throws(
    () => readConfigFile(libc, "/dev/zero", LIMIT),
    /it is a character device/,
  );
});

test("a file that is longer than the limit is refused", (libc, path) => {
  Deno.writeTextFileSync(path, "#".repeat(LIMIT));
  assert.equal(readConfigFile(libc, path, LIMIT).bytes.length, LIMIT);
  Deno.writeTextFileSync(path, "#".repeat(LIMIT + 1));
  assert.throws(() => readConfigFile(libc, path, LIMIT), RangeError);
});

/** Has somebody write to the file each time that it has been read. */
function withWriter(libc: ProcessLibc, write: () => void): ProcessLibc {
  const { read } = libc.symbols;
  const symbols = new Proxy(libc.symbols, {
    get(target, name) {
      if (name !== "read") return Reflect.get(target, name);
      return (...args: Parameters<typeof read>) => {
        const count = read(...args);
        if (count === 0) write();
        return count;
      };
    },
  });
  return new Proxy(libc, {
    get: (target, name) =>
      name === "symbols" ? symbols : Reflect.get(target, name, target),
  });
}

test("a file that changes while it is read is read again", (libc, path) => {
  Deno.writeTextFileSync(path, "port: 1\n");
  let changes = 0;
  const busy = withWriter(libc, () => {
    if (changes++ === 0) Deno.writeTextFileSync(path, "port: 2222\n");
  });
  assert.equal(text(readConfigFile(busy, path, LIMIT).bytes), "port: 2222\n");
});

test("a change that keeps the length is one as well", (libc, path) => {
  Deno.writeTextFileSync(path, "port: 1\n");
  let changes = 0;
  const busy = withWriter(libc, () => {
    if (changes++ > 0) return;
    Deno.writeTextFileSync(path, "port: 2\n");
    // Clocks of file systems are coarse.
    Deno.utimeSync(path, 1, 1);
  });
  assert.equal(text(readConfigFile(busy, path, LIMIT).bytes), "port: 2\n");
});

test("a file that never stops changing is refused", (libc, path) => {
  Deno.writeTextFileSync(path, "port: 1\n");
  const busy = withWriter(libc, () => {
    Deno.writeTextFileSync(path, "#", { append: true });
  });
  assert.throws(
    () => readConfigFile(busy, path, LIMIT),
    /it changes while it is read/,
  );
});

test("owner, group and mode tell who else can use a file", (libc, path) => {
  Deno.writeTextFileSync(path, "");
  const { status } = readConfigFile(libc, path, LIMIT);
  const [owner, group] = [1000, 100];
  const isOpen = (mode: number, users: number[], groups: number[]) =>
    isOpenToOthers({ ...status, owner, group, mode }, users, groups);
  assert.equal(isOpen(0o600, [owner], []), false);
  assert.equal(isOpen(0o600, [0], [0]), true, "its owner is somebody else");
  assert.equal(isOpen(0o640, [owner], []), true, "its group is another one");
  assert.equal(isOpen(0o640, [owner], [group]), false);
  for (const others of [0o4, 0o2, 0o1]) {
    assert.equal(isOpen(0o640 | others, [owner], [group]), true);
  }
  const roots = { ...status, owner: 0, group: 0, mode: 0o640 };
  assert.equal(isOpenToOthers(roots, [], []), false);
});

test(
  "owner, group and mode tell who else can write to a file",
  (libc, path) => {
    Deno.writeTextFileSync(path, "");
    const { status } = readConfigFile(libc, path, LIMIT);
    const [owner, group] = [1000, 100];
    const writers = (part: Partial<typeof status>, user = 0, own = 0) =>
      otherWriters({ ...status, owner: 0, group: 0, ...part }, user, own);
    assert.deepEqual(writers({ mode: 0o664 }), [], "root's group");
    assert.deepEqual(writers({ mode: 0o644, group }), []);
    assert.deepEqual(writers({ mode: 0o664, group }), ["group"]);
    assert.deepEqual(writers({ mode: 0o664, group }, owner, group), []);
    assert.deepEqual(writers({ mode: 0o444, owner }), ["owner"]);
    assert.deepEqual(writers({ mode: 0o600, owner }, owner), []);
    assert.deepEqual(writers({ mode: 0o600, owner: 7 }, owner), ["owner"]);
    assert.deepEqual(writers({ mode: 0o660, owner, group }), [
      "group",
      "owner",
    ]);
    assert.deepEqual(writers({ mode: 0o606, owner, group }), ["all"]);
  },
);
