import assert from "node:assert/strict";
import { KeptFile, readKeptFile } from "../../../ffi/process/kept_file.ts";
import type { ProcessLibc } from "../../../ffi/process/libc.ts";
import { Errno, SystemError } from "../../../ffi/errno.ts";
import { O } from "../../../ffi/flags.ts";
import { spawn, waitForEnd } from "../../../ffi/process/spawn.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const LIMIT = 100;

function test(
  name: string,
  body: (libc: ProcessLibc, folder: string, path: string) => unknown,
): void {
  fileTest(name, (libc, folder) => {
    const path = `${folder}/chain`;
    Deno.writeTextFileSync(path, "old", { mode: 0o600 });
    return body(libc, folder, path);
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
const modeOf = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;

test(
  "a kept file is replaced as a whole, for its owner alone",
  (libc, folder, path) => {
    using file = new KeptFile(libc, path, LIMIT);
    const reader = Deno.openSync(path);
    file.replace((before) => {
      assert.equal(text(before), "old");
      return bytes("new");
    });
    assert.equal(text(file.read()), "new");
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(`${path}.lock`), 0o600);
    assert.deepEqual(names(folder), ["chain", "chain.lock"]);
    const buffer = new Uint8Array(10);
    assert.equal(reader.readSync(buffer), 3);
    assert.equal(text(buffer.subarray(0, 3)), "old", "never written in place");
    reader.close();
  },
);

test(
  "a kept file stays as it is where nothing is to change",
  (libc, _, path) => {
    using file = new KeptFile(libc, path, LIMIT);
    const before = Deno.statSync(path).ino;
    file.replace(() => undefined);
    assert.equal(Deno.statSync(path).ino, before);
  },
);

test("all bytes of a replacement are overwritten", (libc, _, path) => {
  using file = new KeptFile(libc, path, LIMIT);
  const after = bytes("new");
  let seen = new Uint8Array(1);
  file.replace((before) => {
    seen = before;
    return after;
  });
  assert.deepEqual([...seen, ...after], [0, 0, 0, 0, 0, 0]);
});

test("a kept file is found after its folder was renamed", (libc, folder) => {
  Deno.mkdirSync(`${folder}/a`);
  Deno.writeTextFileSync(`${folder}/a/chain`, "old");
  using file = new KeptFile(libc, `${folder}/a/chain`, LIMIT);
  Deno.renameSync(`${folder}/a`, `${folder}/b`);
  file.replace(() => bytes("new"));
  assert.equal(Deno.readTextFileSync(`${folder}/b/chain`), "new");
});

test(
  "what a killed program left beside a kept file does not stay",
  (libc, folder, path) => {
    Deno.writeTextFileSync(`${folder}/.chain.new`, "a key");
    using file = new KeptFile(libc, path, LIMIT);
    file.replace(() => bytes("new"));
    assert.deepEqual(names(folder), ["chain", "chain.lock"]);
    assert.equal(Deno.readTextFileSync(path), "new");
  },
);

test(
  "a kept file is what it was when a step of the replacement fails",
  (libc, folder, path) => {
    const failing = {
      write: { symbols: { ...libc.symbols, write: () => -1 } },
      fsync: { process: { ...libc.process, fsync: () => -1 } },
      renameat: { process: { ...libc.process, renameat: () => -1 } },
    };
    for (const [step, broken] of Object.entries(failing)) {
      using file = new KeptFile({ ...libc, ...broken }, path, LIMIT);
      assert.throws(() => file.replace(() => bytes("new")), { syscall: step });
      assert.equal(Deno.readTextFileSync(path), "old", step);
      assert.deepEqual(names(folder), ["chain", "chain.lock"], step);
    }
    using file = new KeptFile(libc, path, LIMIT);
    const fault = () => {
      throw new Error("no");
    };
    assert.throws(() => file.replace(fault), { message: "no" });
    file.replace(() => bytes("and again"));
  },
);

test(
  "a number is claimed by one program, until it is gone",
  (libc, _, path) => {
    using one = new KeptFile(libc, path, LIMIT);
    {
      using other = new KeptFile(libc, path, LIMIT);
      assert.ok(one.claim(2 ** 32 + 7, 3));
      assert.ok(!other.claim(2 ** 32 + 9, 1), "the last of three");
      assert.ok(other.claim(2 ** 32 + 10, 1), "and the one behind");
      assert.ok(!one.claim(2 ** 32, 2 ** 16), "not all of these are free");
    }
    assert.ok(one.claim(2 ** 32 + 10, 1), "a closed file claims nothing");
  },
);

test("claims outlive the content of the file", (libc, _, path) => {
  using one = new KeptFile(libc, path, LIMIT);
  using other = new KeptFile(libc, path, LIMIT);
  assert.ok(one.claim(5, 1));
  one.replace(() => bytes("new"));
  assert.ok(!other.claim(5, 1));
});

test(
  "the file for the locks is none of those taken from the runtime",
  (libc, _, path) => {
    using file = new KeptFile(libc, path, LIMIT);
    assert.ok(file.claim(1, 1));
    const [fd = ""] = names("/proc/self/fd").filter((fd) => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${fd}`).endsWith(".lock");
      } catch {
        return false;
      }
    });
    const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
    const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? "", 8);
    assert.equal(flags & O.ACCMODE, O.WRONLY);
  },
);

test("two do not replace a kept file at a time", (libc, _, path) => {
  using one = new KeptFile(libc, path, LIMIT);
  using other = new KeptFile(libc, path, LIMIT);
  one.replace(() => {
    assert.equal(other.replace(() => bytes("lost")), false);
    return bytes("new");
  });
  assert.equal(Deno.readTextFileSync(path), "new");
});

test(
  "another program that replaces a kept file is waited for",
  (libc, _, path) => {
    using one = new KeptFile(libc, path, LIMIT);
    const { process } = libc;
    let tries = 0;
    // As if the other one had the lock for two tries.
    const fcntlLock: typeof process.fcntlLock = (...args) =>
      ++tries <= 2 ? -1 : process.fcntlLock(...args);
    const busy = new SystemError("lock", "fcntl", Errno.EAGAIN);
    const late = { ...libc, process: { ...process, fcntlLock } };
    using other = new KeptFile({ ...late, error: () => busy }, path, LIMIT);
    one.replace(() => bytes("first"));
    assert.ok(other.replace((before) => {
      assert.equal(text(before), "first");
      return bytes("second");
    }));
    assert.ok(tries > 2);
    assert.equal(Deno.readTextFileSync(path), "second");
  },
);

test(
  "a kept file has one name, and is a regular file",
  async (libc, folder, path) => {
    const refuses = (name: string, what: string) =>
      assert.throws(() => readKeptFile(libc, `${folder}/${name}`, LIMIT), {
        message:
          `Cannot use '${folder}/${name}': it is ${what}; it has to be ` +
          "a regular file with this name only, since it is replaced",
      });
    Deno.symlinkSync(path, `${folder}/link`);
    refuses("link", "a symbolic link");
    Deno.mkdirSync(`${folder}/folder`);
    refuses("folder", "a folder");
    const pid = spawn(libc, {
      path: "/usr/bin/mkfifo",
      argv: ["mkfifo", `${folder}/fifo`],
      env: [],
      newSession: false,
      descriptors: [],
    });
    await waitForEnd(libc, pid);
    refuses("fifo", "a FIFO");
    assert.equal(text(readKeptFile(libc, path, LIMIT).bytes), "old");
    Deno.linkSync(path, `${folder}/twin`);
    refuses("chain", "a file with 2 names");
  },
);

test("a kept file is given to whom the program becomes", (libc, _, path) => {
  using file = new KeptFile(libc, path, LIMIT);
  const [uid, gid] = [Deno.uid() ?? 0, Deno.gid() ?? 0];
  const other = uid === 0 ? { uid: 12345, gid: 12346 } : { uid, gid };
  file.giveTo(other);
  for (const name of [path, `${path}.lock`]) {
    const { uid: owner, gid: group } = Deno.statSync(name);
    assert.deepEqual([owner, group], [other.uid, other.gid], name);
  }
  const refusing = { ...libc.process, fchown: () => -1 };
  using poor = new KeptFile({ ...libc, process: refusing }, path, LIMIT);
  assert.throws(() => poor.giveTo(other), { syscall: "fchown" });
  Deno.linkSync(`${path}.lock`, `${path}.twin`);
  assert.throws(() => file.giveTo(other), /lock': it is a file with 2 names/);
});

test("readKeptFile() tells who has access to the file", (libc, _, path) => {
  const read = () => readKeptFile(libc, path, LIMIT);
  assert.equal(read().isPublic, false);
  for (const mode of [0o640, 0o604, 0o602, 0o666]) {
    Deno.chmodSync(path, mode);
    assert.equal(read().isPublic, true, mode.toString(8));
  }
  const isRoot = Deno.uid() === 0;
  const asUser = { ...libc.process, geteuid: () => 1000 };
  assert.equal(read().isRoots, false);
  const { isRoots } = readKeptFile({ ...libc, process: asUser }, path, LIMIT);
  assert.equal(isRoots, isRoot, "the file of this test is root's or not");
});

test(
  "readKeptFile() reads no file that is too long, and leaves nothing open",
  (libc, folder, path) => {
    const before = names("/proc/self/fd").length;
    Deno.writeTextFileSync(path, "x".repeat(LIMIT + 1));
    assert.throws(() => readKeptFile(libc, path, LIMIT), RangeError);
    assert.throws(() => readKeptFile(libc, `${folder}/none`, LIMIT), {
      code: "ENOENT",
    });
    assert.throws(() => new KeptFile(libc, `${folder}/no/chain`, LIMIT), {
      code: "ENOENT",
    });
    Deno.mkdirSync(`${folder}/other.lock`);
    assert.throws(() => new KeptFile(libc, `${folder}/other`, LIMIT), {
      code: "EISDIR",
    });
    const file = new KeptFile(libc, path, LIMIT);
    file[Symbol.dispose]();
    file[Symbol.dispose]();
    assert.equal(names("/proc/self/fd").length, before);
  },
);

test(
  "a folder that cannot be synchronised by itself fails nothing, but a disk that fails does",
  (libc, _, path) => {
    const { fsync } = libc.process;
    const folderFails = (errno: number): ProcessLibc => {
      let syncs = 0;
      return {
        ...libc,
        // First the file, then its folder.
        process: {
          ...libc.process,
          fsync: (fd) => ++syncs % 2 === 0 ? -1 : fsync(fd),
        },
        error: (what, syscall) => new SystemError(what, syscall, errno),
      };
    };
    using file = new KeptFile(folderFails(Errno.EINVAL), path, LIMIT);
    assert.ok(file.replace(() => bytes("new")));
    assert.equal(text(file.read()), "new");
    using other = new KeptFile(folderFails(Errno.EIO), path, LIMIT);
    assert.throws(() => other.replace(() => bytes("newer")), {
      syscall: "fsync",
    });
    const fileFails: ProcessLibc = {
      ...folderFails(Errno.EINVAL),
      process: { ...libc.process, fsync: () => -1 },
    };
    using third = new KeptFile(fileFails, path, LIMIT);
    assert.throws(() => third.replace(() => bytes("newest")), {
      syscall: "fsync",
    });
  },
);
