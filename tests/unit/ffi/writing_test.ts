import assert from "node:assert/strict";
import { openAppend } from "../../../ffi/process/append_file.ts";
import { placeFile } from "../../../ffi/process/placed_file.ts";
import type { ProcessLibc } from "../../../ffi/process/libc.ts";
import { spawn, waitForEnd } from "../../../ffi/process/spawn.ts";
import { fileTest } from "../../fakes/with_libc.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();

async function makeFifo(libc: ProcessLibc, path: string): Promise<void> {
  const pid = spawn(libc, {
    path: "/usr/bin/mkfifo",
    argv: ["mkfifo", path],
    env: [],
    newSession: false,
    descriptors: [],
  });
  assert.deepEqual(await waitForEnd(libc, pid), { kind: "exit", status: 0 });
}

fileTest(
  "openAppend() makes a file that the group may only read",
  (libc, folder) => {
    openAppend(libc, `${folder}/log`).close();
    const mode = Deno.statSync(`${folder}/log`).mode ?? 0;
    assert.equal(mode & 0o137, 0);
  },
);

fileTest("openAppend() writes behind what others wrote", (libc, folder) => {
  const path = `${folder}/log`;
  const file = openAppend(libc, path);
  file.write(bytes("one\n"));
  Deno.writeTextFileSync(path, "two\n", { append: true });
  file.write(bytes("three\n"));
  file.close();
  assert.equal(Deno.readTextFileSync(path), "one\ntwo\nthree\n");
});

fileTest("write() goes on after a part was written", (libc, folder) => {
  const { write } = libc.symbols;
  const reluctant: ProcessLibc = {
    ...libc,
    symbols: {
      ...libc.symbols,
      write: (fd, buffer, size) => write(fd, buffer, Math.min(size, 3)),
    },
  };
  const file = openAppend(reluctant, `${folder}/log`);
  file.write(bytes("ten bytes."));
  file.close();
  assert.equal(Deno.readTextFileSync(`${folder}/log`), "ten bytes.");
});

fileTest("write() fails when the device is full", (libc) => {
  const file = openAppend(libc, "/dev/full");
  assert.throws(() => file.write(bytes("x")), { code: "ENOSPC" });
  file.close();
});

fileTest(
  "a closed file touches no other that has its number",
  (libc, folder) => {
    const file = openAppend(libc, `${folder}/log`);
    file.close();
    const other = openAppend(libc, `${folder}/other`);
    file.close();
    assert.throws(() => file.write(bytes("x")), { code: "EBADF" });
    other.write(bytes("mine"));
    other.close();
    assert.equal(Deno.readTextFileSync(`${folder}/other`), "mine");
  },
);

fileTest("openAppend() follows no symbolic link", (libc, folder) => {
  Deno.writeTextFileSync(`${folder}/victim`, "mine\n");
  for (const target of ["victim", "none"]) {
    const path = `${folder}/to ${target}`;
    Deno.symlinkSync(`${folder}/${target}`, path);
    assert.throws(() => openAppend(libc, path), {
      message: `Cannot write to '${path}': it is a symbolic link, which is ` +
        "not followed; give the path of the file itself",
    });
  }
  assert.equal(Deno.readTextFileSync(`${folder}/victim`), "mine\n");
  assert.ok(!names(folder).includes("none"));
});

fileTest(
  "openAppend() writes to no file that has another name",
  (libc, folder) => {
    Deno.writeTextFileSync(`${folder}/victim`, "mine\n");
    Deno.linkSync(`${folder}/victim`, `${folder}/log`);
    assert.throws(() => openAppend(libc, `${folder}/log`), {
      message:
        `Cannot write to '${folder}/log': it has 2 names (hard links); ` +
        "it has to have this one only",
    });
    Deno.removeSync(`${folder}/victim`);
    openAppend(libc, `${folder}/log`).close();
  },
);

fileTest("openAppend() waits for no reader of a FIFO", async (libc, folder) => {
  const path = `${folder}/fifo`;
  await makeFifo(libc, path);
  const isFifo = {
    message: `Cannot write to '${path}': it is a FIFO; it has to be a ` +
      "regular file, or a character device such as /dev/null",
  };
  assert.throws(() => openAppend(libc, path), isFifo, "without a reader");
  const both = Deno.openSync(path, { read: true, write: true });
  assert.throws(() => openAppend(libc, path), isFifo, "with a reader");
  both.close();
});

fileTest("openAppend() leaves no descriptor behind", (libc, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "");
  Deno.linkSync(`${folder}/a`, `${folder}/b`);
  const descriptors = () => names("/proc/self/fd").length;
  const before = descriptors();
  assert.throws(() => openAppend(libc, `${folder}/b`));
  assert.throws(() => openAppend(libc, folder), /it is a folder/);
  assert.throws(() => openAppend(libc, `${folder}/no/log`), { code: "ENOENT" });
  assert.equal(descriptors(), before);
});

fileTest("openAppend() takes /dev/null for a file", (libc) => {
  const file = openAppend(libc, "/dev/null");
  file.write(bytes("x"));
  file.close();
});

const PID = { bytes: bytes("4711"), mode: 0o644, suffix: "new" };

fileTest("placeFile() makes a file and removes it again", (libc, folder) => {
  const path = `${folder}/pid`;
  const file = placeFile(libc, path, PID);
  assert.deepEqual(names(folder), ["pid"], "nothing is beside it");
  assert.equal(Deno.readTextFileSync(path), "4711");
  assert.equal((Deno.statSync(path).mode ?? 0) & 0o133, 0);
  file.remove();
  assert.deepEqual(names(folder), []);
  file.remove();
  file.close();
});

fileTest(
  "placeFile() replaces what has the name, and writes to nothing",
  (libc, folder) => {
    const path = `${folder}/pid`;
    const victim = `${folder}/victim`;
    const ways: Readonly<Record<string, () => void>> = {
      "an old file": () => Deno.writeTextFileSync(path, "12345678"),
      "a symbolic link": () => Deno.symlinkSync(victim, path),
      "a link to nothing": () => Deno.symlinkSync(`${folder}/none`, path),
      "a hard link": () => Deno.linkSync(victim, path),
    };
    Deno.writeTextFileSync(victim, "mine");
    for (const [way, make] of Object.entries(ways)) {
      make();
      const file = placeFile(libc, path, PID);
      assert.ok(Deno.lstatSync(path).isFile, way);
      assert.equal(Deno.readTextFileSync(path), "4711", way);
      assert.equal(Deno.readTextFileSync(victim), "mine", way);
      file.remove();
      file.close();
      assert.deepEqual(names(folder), ["victim"], way);
    }
  },
);

fileTest(
  "placeFile() replaces no folder, device or FIFO",
  async (libc, folder) => {
    const refuses = (name: string, what: string) =>
      assert.throws(() => placeFile(libc, `${folder}/${name}`, PID), {
        message:
          `Cannot replace '${folder}/${name}': it is a ${what}; it has ` +
          "to be the name of a regular file, or of none yet",
      });
    await makeFifo(libc, `${folder}/fifo`);
    Deno.mkdirSync(`${folder}/folder`);
    Deno.symlinkSync("/dev/null", `${folder}/null`);
    const before = names(folder);
    refuses("fifo", "FIFO");
    refuses("folder", "folder");
    refuses("folder/", "folder");
    refuses(".", "folder");
    refuses("null", "symbolic link to a character device");
    assert.deepEqual(names(folder), before);
  },
);

fileTest(
  "placeFile() says what it could not do, and tidies up",
  (libc, folder) => {
    const descriptors = () => names("/proc/self/fd").length;
    const before = descriptors();
    assert.throws(() => placeFile(libc, `${folder}/no/pid`, PID), {
      message:
        `Cannot open the folder '${folder}/no/': No such file or directory (open(), ENOENT)`,
    });
    Deno.writeTextFileSync(`${folder}/.pid.new`, "somebody's");
    assert.throws(() => placeFile(libc, `${folder}/pid`, PID), {
      message: `Cannot make a file beside '${folder}/pid': ` +
        "File exists (openat(), EEXIST)",
    });
    assert.equal(Deno.readTextFileSync(`${folder}/.pid.new`), "somebody's");
    Deno.removeSync(`${folder}/.pid.new`);
    const { symbols } = libc;
    const full = { ...libc, symbols: { ...symbols, write: () => -1 } };
    assert.throws(() => placeFile(full, `${folder}/pid`, PID), /write\(\)/);
    assert.deepEqual(names(folder), []);
    assert.equal(descriptors(), before);
  },
);

fileTest("remove() leaves what is somebody else's by now", (libc, folder) => {
  const path = `${folder}/pid`;
  const ways: Readonly<Record<string, () => void>> = {
    "another number": () => Deno.writeTextFileSync(path, "4712"),
    "a longer text": () => Deno.writeTextFileSync(path, "4711 and more"),
    "a symbolic link": () => Deno.symlinkSync(`${folder}/copy`, path),
  };
  Deno.writeTextFileSync(`${folder}/copy`, "4711");
  for (const [way, make] of Object.entries(ways)) {
    const file = placeFile(libc, path, PID);
    Deno.removeSync(path);
    make();
    file.remove();
    file.close();
    assert.deepEqual(names(folder), ["copy", "pid"], way);
    Deno.removeSync(path);
  }
});

fileTest(
  "remove() keeps to the folder that the file was made in",
  (libc, folder) => {
    Deno.mkdirSync(`${folder}/a`);
    const file = placeFile(libc, `${folder}/a/pid`, PID);
    Deno.renameSync(`${folder}/a`, `${folder}/b`);
    Deno.mkdirSync(`${folder}/a`);
    Deno.writeTextFileSync(`${folder}/a/pid`, "4711");
    file.remove();
    file.close();
    assert.deepEqual(names(`${folder}/a`), ["pid"]);
    assert.deepEqual(names(`${folder}/b`), []);
  },
);

fileTest("remove() does nothing once the folder is let go", (libc, folder) => {
  const file = placeFile(libc, `${folder}/pid`, PID);
  file.close();
  file.remove();
  assert.deepEqual(names(folder), ["pid"]);
});
