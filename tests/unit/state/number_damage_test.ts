import assert from "node:assert/strict";
import { StateFolder } from "../../../ffi/process/state_folder.ts";
import { fileOf } from "../../../src/state/number_files.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { MortalLibc } from "../../fakes/mortal_libc.ts";
import { folderTest, keysOf, Life, MUX } from "../../fakes/number_life.ts";

folderTest(
  "while nothing can be written sending goes on as far as it is kept, and the log says so once",
  (path) => {
    const life = new Life(path).start();
    life.mortal.fails = () => true;
    let taken = 0;
    for (; life.take(BLOCK / 8) >= 0; taken++) life.table.keepNumbersAhead();
    assert.equal(taken, 8);
    assert.equal(life.lines.length, 1);
    assert.match(
      life.lines[0] ?? "",
      /Cannot keep state in .*--state-dir.*ENOSPC.*; what is sent has/,
    );
    life.mortal.fails = () => false;
    life.table.keepNumbersAhead();
    assert.equal(life.take(), BLOCK);
    assert.match(life.lines[1] ?? "", /is kept .* again/);
    life.end();
  },
);

folderTest(
  "a folder that is removed while the daemon runs stops nothing but new numbers",
  (path) => {
    const life = new Life(path).start();
    Deno.removeSync(path, { recursive: true });
    assert.equal(life.take(BLOCK - 100), 0);
    life.table.keepNumbersAhead();
    assert.equal(life.take(100), BLOCK - 100);
    assert.equal(life.take(), -2);
    assert.match(life.lines[0] ?? "", /Cannot keep state/);
    life.end();
    Deno.mkdirSync(path);
  },
);

folderTest(
  "keys that begin while nothing can be written have numbers, too",
  (path) => {
    const life = new Life(path).start(1);
    life.take(10);
    life.mortal.fails = () => true;
    life.table.put(MUX, keysOf(2), 0, "keep");
    let taken = 0;
    for (; life.take(BLOCK / 8) >= 0; taken++) life.table.keepNumbersAhead();
    assert.equal(taken, 8);
    life.kill();
    const next = new Life(path).start(2);
    assert.equal(next.take(), BLOCK);
    next.end();
  },
);

folderTest(
  "without room at the start there are numbers as soon as there is some",
  (path) => {
    const life = new Life(path);
    life.end();
    const full = new Life(path, {}, (libc) => libc.fails = () => true);
    full.start();
    assert.equal(full.take(), -2);
    full.mortal.fails = () => false;
    full.table.keepNumbersAhead();
    assert.equal(full.take(), 0);
    full.end();
  },
);

folderTest(
  "the file of what is used of all keys counts in the same way when it is damaged",
  (path) => {
    new Life(path, { ids: [7] }).start().kill();
    Deno.writeTextFileSync(`${path}/numbers-all`, "anytun-numbers 1\n");
    const same = new Life(path, { ids: [7] }).start();
    assert.equal(same.take(), -2);
    assert.match(same.lines.join(), /Cannot use .*numbers-all.*checksum/);
    same.end();
    const another = new Life(path, { ids: [8] }).start();
    assert.equal(another.take(), 0);
    another.end();
  },
);

for (const damage of ["cut", "changed", "emptied", "of another kind"]) {
  folderTest(
    `a file that is ${damage} counts as if all was used that ever was taken`,
    (path) => {
      const first = new Life(path, { ids: [7] }).start();
      first.take(10);
      first.end();
      const name = [...Deno.readDirSync(path)].map(({ name }) => name)
        .find((name) => /^numbers-[0-9a-f]{2}$/.test(name));
      const file = `${path}/${name}`;
      const text = Deno.readTextFileSync(file);
      const other = {
        "cut": text.slice(0, -9),
        "changed": text.replace("7 10", "7 11"),
        "emptied": "",
      }[damage] ?? text.replace("numbers", "letters");
      Deno.writeTextFileSync(file, other);
      const same = new Life(path, { ids: [7] }).start();
      assert.equal(same.take(), -2);
      assert.match(same.lines.join(), /Cannot use .*numbers-.*checksum/);
      same.end();
      const another = new Life(path, { ids: [8] }).start();
      assert.equal(another.take(), 0);
      another.end();
    },
  );
}

folderTest(
  "without knowing which sender ids were taken all count as taken",
  (path) => {
    new Life(path, { ids: [7] }).start().end();
    Deno.writeTextFileSync(`${path}/sender-ids`, "anytun-sender-ids 1\n7\n");
    const life = new Life(path, { ids: [8] });
    assert.equal(life.keeper.taken().size, 65536);
    assert.equal(life.start().take(), 0, "the file of the numbers is whole");
    life.end();
  },
);

Deno.test("a folder that others may write to, or of another user, is refused", () => {
  const path = Deno.makeTempDirSync();
  using mortal = new MortalLibc();
  try {
    Deno.chmodSync(path, 0o770);
    assert.throws(() => new StateFolder(mortal.libc, path), {
      message: `Cannot keep state in '${path}': others may write to it; ` +
        "use chmod 700",
    });
    assert.throws(() => new StateFolder(mortal.libc, `${path}/a/b`), {
      message: /Cannot make the folder/,
    });
    Deno.chmodSync(path, 0o700);
    new StateFolder(mortal.libc, `${path}/new`).close();
    assert.equal((Deno.statSync(`${path}/new`).mode ?? 0) & 0o777, 0o700);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

Deno.test("a folder of root's that is for others, too, is given to nobody", () => {
  const path = Deno.makeTempDirSync();
  using mortal = new MortalLibc();
  const given: number[] = [];
  const owner = { uid: 12345, gid: 12346 };
  const real = mortal.libc.process;
  // As if it were root's.
  const process: typeof real = {
    ...real,
    statx(fd, name, flags, mask, buffer) {
      const status = real.statx(fd, name, flags, mask, buffer);
      assert.ok(buffer instanceof Uint8Array);
      new DataView(buffer.buffer).setUint32(20, 0, true);
      return status;
    },
    fchownat: (fd) => given.push(fd) * 0,
  };
  const libc = { ...mortal.libc, process };
  const own = [
    ...["sender-ids", "numbers-3f", "accepted-0", ".accepted-0.lock"],
    ".numbers-3f.new",
  ];
  try {
    for (const name of own) Deno.writeTextFileSync(`${path}/${name}`, "");
    Deno.writeTextFileSync(`${path}/chain`, "", { mode: 0o600 });
    new StateFolder(libc, path, owner).close();
    const isRoot = Deno.uid() === 0;
    // The folder, what is in it, and the file for the locks where root made it.
    assert.equal(given.length, 1 + own.length + (isRoot ? 1 : 0));
    given.length = 0;
    Deno.writeTextFileSync(`${path}/passwd`, "", { mode: 0o644 });
    assert.throws(() => new StateFolder(libc, path, owner), {
      message: `Cannot keep state in '${path}': it would be given to user ` +
        "12345, and 'passwd' in it is for others, too; use a folder for it " +
        "alone",
    });
    assert.equal(given.length, 0);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

Deno.test("a folder that another process works in is waited for", () => {
  const path = Deno.makeTempDirSync();
  using mortal = new MortalLibc();
  const real = mortal.libc.process;
  type Lock = typeof real.fcntlLock;
  let tries = 0;
  let giveBack = () => {};
  const locks = (fcntlLock: Lock) => ({
    ...mortal.libc,
    process: { ...real, fcntlLock },
  });
  const first = locks((fd, operation, lock) => {
    assert.ok(lock instanceof Uint8Array);
    giveBack = () => {
      const none = lock.slice();
      new DataView(none.buffer).setInt16(0, 2, true);
      assert.equal(real.fcntlLock(fd, operation, none), 0);
    };
    return real.fcntlLock(fd, operation, lock);
  });
  const second = locks((fd, operation, lock) => {
    if (++tries === 3) giveBack();
    return real.fcntlLock(fd, operation, lock);
  });
  const one = new StateFolder(first, path);
  const two = new StateFolder(second, path);
  try {
    const done = one.exclusively(() => two.exclusively(() => tries));
    assert.equal(done, 3);
  } finally {
    one.close();
    two.close();
    Deno.removeSync(path, { recursive: true });
  }
});

for (const others of [[], ["b"]]) {
  folderTest(
    `a file that gets damaged while keys are out of use counts as used for them, too (${others.length} in use)`,
    (path) => {
      const life = new Life(path);
      const request = (space: string) => ({ space, from: 0, count: BLOCK });
      const { keeper } = life;
      const first = { first: 0, end: BLOCK };
      keeper.reserve(others.map(request));
      assert.deepEqual(keeper.reserve([request("AA")]), [first]);
      keeper.settle([{ space: "AA", next: 10, end: BLOCK }]);
      Deno.writeTextFileSync(`${path}/${fileOf("AA")}`, "");
      keeper.reserve([request("AB")]);
      keeper.settle([{ space: "AB", next: 10, end: BLOCK }]);
      const [range = { first: 0, end: 1 }] = keeper.reserve([request("AA")]);
      assert.ok(range.end <= range.first, "there are none");
      life.kill();
    },
  );
}
