import assert from "node:assert/strict";
import fc from "fast-check";
import { StateFolder } from "../../../ffi/process/state_folder.ts";
import { sha256Text as hash } from "../../../src/crypto/sha256.ts";
import { SEQ_RANGE } from "../../../src/satp/header.ts";
import { type BootId, bootIdOf } from "../../../src/state/boot_id.ts";
import { NumberKeeper } from "../../../src/state/number_keeper.ts";
import { MOST_LENT } from "../../../src/state/lent_spaces.ts";
import { fileOf } from "../../../src/state/number_files.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { TextSeal } from "../../../src/state/sealed_text.ts";
import { EVERY_SPACE, UsedNumbers } from "../../../src/state/used_numbers.ts";
import {
  type ConnectionKeys,
  ConnectionTable,
} from "../../../src/tunnel/connection_table.ts";
import { NumberSpaces } from "../../../src/tunnel/number_spaces.ts";
import { SenderIds } from "../../../src/tunnel/numbers.ts";
import { idsByGeneration } from "../../../src/tunnel/sender_ids.ts";
import { Killed, MortalLibc, type Step } from "../../fakes/mortal_libc.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const MUX = 3;

const BOOT = bootIdOf("b007");

function keysOf(key = 1): ConnectionKeys {
  const secrets = {
    key: new Uint8Array(16).fill(key),
    salt: new Uint8Array(14).fill(key),
  };
  new DataView(secrets.key.buffer).setUint32(12, key);
  return { role: "left", secrets, windowSize: 0 };
}

interface LifeOptions {
  readonly ids?: readonly number[];
  readonly senders?: number;
  readonly allowWrap?: boolean;
  readonly bootId?: BootId;
}

/** One run of a daemon over a folder. */
class Life {
  readonly mortal = new MortalLibc();
  readonly lines: readonly string[];
  readonly keeper: NumberKeeper;
  readonly table: ConnectionTable;
  readonly #folder: StateFolder;
  readonly #limit: number;

  constructor(
    path: string,
    options: LifeOptions = {},
    before: (mortal: MortalLibc) => void = () => {},
  ) {
    const { ids = [7], senders = 1, allowWrap = false, bootId = BOOT } =
      options;
    const logger = recordingLog();
    this.lines = logger.lines;
    this.#folder = new StateFolder(this.mortal.libc, path);
    const folder = this.#folder;
    this.keeper = new NumberKeeper({
      ...{ folder, hash, logger, allowWrap, bootId },
    });
    const spaces = new NumberSpaces({ hash, store: this.keeper, allowWrap });
    this.table = new ConnectionTable(ConnectionTable.allocate(), spaces);
    const generations = idsByGeneration(ids, senders);
    const first = generations.map(([id = 0]) => id);
    this.#limit = new SenderIds(first, allowWrap).limit;
    before(this.mortal);
    this.keeper.begin(generations);
  }

  start(key = 1, firstSeq = 0): this {
    this.table.put(MUX, keysOf(key), firstSeq);
    this.table.keepNumbersAhead();
    return this;
  }

  take(count = 1, mux = MUX): number {
    return this.table.reserve(mux, this.table.epoch(mux), count, this.#limit);
  }

  end(): void {
    this.table.settleNumbers();
    this.kill();
  }

  kill(): void {
    this.#folder.close();
    this.keeper.release();
    this.mortal[Symbol.dispose]();
  }
}

/** How many spaces the files have numbers of. */
function keptSpaces(path: string): number {
  const files = [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((name) => /^numbers-[0-9a-f]{2}$/.test(name));
  const texts = files.map((name) => Deno.readTextFileSync(`${path}/${name}`));
  return texts.join("").match(/^space (?!every)/gm)?.length ?? 0;
}

/** As after crashes of the system, or damage. */
function useOfEvery(path: string, id: number, next: number): void {
  const used = new UsedNumbers();
  used.set(EVERY_SPACE, id, next);
  const file = used.format(new TextSeal(hash));
  Deno.writeFileSync(`${path}/numbers-all`, file);
}

function folderTest(name: string, body: (path: string) => void): void {
  Deno.test(name, () => {
    const path = Deno.makeTempDirSync();
    try {
      body(path);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  });
}

folderTest("after a clean end numbers go on where they ended", (path) => {
  const first = new Life(path).start();
  assert.equal(first.take(10), 0);
  assert.equal(first.take(5), 10);
  first.end();
  const second = new Life(path).start();
  assert.equal(second.take(), 15);
  second.end();
  assert.deepEqual([first.lines, second.lines], [[], []]);
});

folderTest(
  "after a kill numbers go on above all that were used, and no more than a block above",
  (path) => {
    const first = new Life(path).start();
    assert.equal(first.take(10), 0);
    first.kill();
    const second = new Life(path).start();
    assert.equal(second.take(), BLOCK);
    second.kill();
  },
);

for (
  const [much, next] of [["half", SEQ_RANGE / 2], ["all", SEQ_RANGE]] as const
) {
  folderTest(
    `a start says when crashes have used up ${much} of the numbers of its sender id`,
    (path) => {
      useOfEvery(path, 7, next);
      const life = new Life(path).start();
      assert.deepEqual(life.lines, [
        `WARNING: ${much} of the sequence numbers of sender id 7 are used up for ` +
        "all keys, as by crashes of the system (--state-dir): give another " +
        "--sender-id",
      ]);
      life.end();
      const other = new Life(path, { ids: [7, 8] }).start();
      assert.deepEqual(other.lines, [], "there is another one");
      other.end();
    },
  );
}

folderTest("the files hold no key, and nobody else can read them", (path) => {
  const life = new Life(path).start(0xa7);
  life.take(3);
  life.end();
  const files = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  assert.equal(files.length, 5);
  for (const name of files) {
    const status = Deno.statSync(`${path}/${name}`);
    assert.equal((status.mode ?? 0) & 0o777, 0o600);
    const text = Deno.readTextFileSync(`${path}/${name}`);
    assert.doesNotMatch(text, /a7a7|\xa7/i);
  }
});

folderTest("another key, role or mux has numbers of its own", (path) => {
  const first = new Life(path).start(1);
  first.take(10);
  first.end();
  const second = new Life(path).start(2);
  assert.equal(second.take(), 0);
  second.table.put(MUX, keysOf(1), 0);
  second.table.keepNumbersAhead();
  assert.equal(second.take(), 10);
  second.end();
});

folderTest(
  "keys that are replaced have numbers at once, and above those used before",
  (path) => {
    const first = new Life(path).start(2);
    first.take(10);
    first.end();
    const second = new Life(path).start(1);
    second.table.put(MUX, keysOf(2), 3);
    assert.equal(second.take(), 10);
    second.table.put(MUX, keysOf(1), 0);
    second.table.put(MUX, keysOf(2), 0);
    assert.equal(second.take(), 11);
    second.end();
  },
);

folderTest(
  "keys for which numbers are reserved ahead begin without the disk",
  (path) => {
    const first = new Life(path).start(1);
    const { table, mortal } = first;
    table.reserveAhead(MUX, keysOf(2));
    table.reserveAhead(MUX, keysOf(2));
    table.reserveAhead(MUX, keysOf(3));
    const before = mortal.steps;
    table.put(MUX, keysOf(2), 0, "keep");
    assert.equal(first.take(5), 0);
    assert.equal(mortal.steps, before);
    first.end();
    const second = new Life(path).start(2);
    assert.equal(second.take(), 5);
    second.end();
    const third = new Life(path).start(3);
    assert.equal(third.take(), 0, "reserved and never used");
    third.end();
  },
);

folderTest(
  "numbers of keys that never come back are kept no longer, but those in use are",
  (path) => {
    const first = new Life(path).start(1);
    for (const key of [2, 3, 4]) {
      first.take(key);
      first.table.put(MUX, keysOf(key), 0);
    }
    first.end();
    assert.equal(keptSpaces(path), 3);
    const life = new Life(path).start(1);
    const { table } = life;
    table.put(MUX, keysOf(2), 0);
    table.reserveAhead(MUX, keysOf(5));
    const names = [1, 2, 3, 5].map((k) => table.numbersName(MUX, keysOf(k)));
    table.forgetNumbers(names);
    assert.equal(keptSpaces(path), 1);
    assert.equal(life.take(), 3);
    life.end();
    assert.deepEqual([keptSpaces(path), life.lines], [1, []]);
  },
);

folderTest(
  "a sequence number that another member tells of is kept as well",
  (path) => {
    const first = new Life(path).start(1, 1_000_000);
    assert.equal(first.take(2), 1_000_000);
    first.table.put(MUX, keysOf(), 1_000_000_000);
    assert.equal(first.take(), -2, "not before it is kept");
    first.table.keepNumbersAhead();
    assert.equal(first.take(), 1_000_000_000);
    first.kill();
    const second = new Life(path).start();
    assert.equal(second.take(), 1_000_000_000 + BLOCK);
    second.kill();
  },
);

folderTest(
  "two daemons with the same key and sender id get different numbers",
  (path) => {
    const [one, other] = [new Life(path).start(), new Life(path).start()];
    assert.equal(one.take(), 0);
    assert.equal(other.take(), BLOCK);
    one.take(BLOCK - 1000);
    one.table.keepNumbersAhead();
    assert.equal(one.take(), 2 * BLOCK, "behind the block of the other one");
    one.end();
    other.end();
  },
);

folderTest(
  "common blocks of different sender ids do not overlap where they share one",
  (path) => {
    useOfEvery(path, 8, BLOCK / 2);
    const one = new Life(path, { ids: [7, 8], senders: 2 }).start();
    const other = new Life(path, { ids: [7] }).start();
    assert.equal(one.take(), BLOCK / 2);
    assert.equal(other.take(), BLOCK / 2 + BLOCK);
    one.end();
    other.end();
  },
);

folderTest(
  "sending ends with the last number, also beyond a restart",
  (path) => {
    const first = new Life(path).start(1, SEQ_RANGE / 2 - 1);
    first.table.put(MUX, keysOf(), SEQ_RANGE - 10);
    first.table.keepNumbersAhead();
    assert.equal(first.take(4), SEQ_RANGE - 10);
    first.end();
    const second = new Life(path).start();
    assert.equal(second.take(6), SEQ_RANGE - 6);
    assert.equal(second.take(), -2);
    assert.equal(second.table.isSpent(MUX, SEQ_RANGE), true);
    second.end();
    const third = new Life(path).start();
    assert.equal(third.take(), -2);
    assert.equal(third.table.isSpent(MUX, SEQ_RANGE), true);
    third.end();
  },
);

folderTest("with --allow-wrap it begins anew", (path) => {
  const options = { allowWrap: true };
  const first = new Life(path, options).start(1, SEQ_RANGE / 2 - 1);
  first.table.put(MUX, keysOf(), SEQ_RANGE - 10);
  first.table.keepNumbersAhead();
  assert.equal(first.take(10), SEQ_RANGE - 10);
  first.table.keepNumbersAhead();
  assert.equal(first.take(3) % SEQ_RANGE, 0);
  first.end();
  const second = new Life(path, options).start();
  assert.equal(second.take(), 3);
  second.end();
});

folderTest(
  "a start takes sender ids that no start before took, as long as there are some",
  (path) => {
    const first = new Life(path, { ids: [5, 9, 1, 2], senders: 2 });
    assert.deepEqual([...first.keeper.taken()], [5, 9]);
    first.end();
    const second = new Life(path, { ids: [4, 5], senders: 2 });
    assert.deepEqual([...second.keeper.taken()], [9, 4, 5]);
    second.end();
  },
);

folderTest(
  "a sender id that comes later is used above where it was left, too",
  (path) => {
    const first = new Life(path, { ids: [8] }).start(1);
    first.take(100);
    first.end();
    const second = new Life(path, { ids: [7, 8] });
    second.start(1, SEQ_RANGE / 2 - 1);
    second.table.put(MUX, keysOf(), SEQ_RANGE - 2);
    second.table.keepNumbersAhead();
    assert.equal(second.take(2), SEQ_RANGE - 2);
    second.table.keepNumbersAhead();
    assert.equal(second.take(), SEQ_RANGE + 100);
    second.end();
  },
);

folderTest(
  "behind a sender id that is used up the next one is used above where it was left, too",
  (path) => {
    useOfEvery(path, 8, SEQ_RANGE);
    const first = new Life(path, { ids: [9] }).start(1);
    assert.equal(first.take(100), 0);
    first.end();
    const second = new Life(path, { ids: [8, 9] }).start(1);
    assert.equal(second.take(), SEQ_RANGE + 100);
    second.start(2);
    assert.equal(second.take(), SEQ_RANGE);
    second.end();
  },
);

for (const how of ["end", "kill"] as const) {
  folderTest(
    `keys that go on with the next sender id have used up the one before (${how})`,
    (path) => {
      useOfEvery(path, 8, SEQ_RANGE - BLOCK);
      const first = new Life(path, { ids: [8, 9] }).start(1);
      assert.equal(first.take(BLOCK), SEQ_RANGE - BLOCK);
      first.table.keepNumbersAhead();
      assert.equal(first.take(100), SEQ_RANGE);
      first[how]();
      const second = new Life(path, { ids: [8, 9] }).start(1);
      assert.ok(second.take() >= SEQ_RANGE + 100);
      second.end();
    },
  );
}

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
      /Cannot keep state in .*--state-dir.*ENOSPC/,
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
  "thousands of connections, and new keys for all of them, have numbers without the disk",
  (path) => {
    const muxes = Array.from({ length: 3000 }, (_, k) => k);
    const run = (life: Life, from: number) => {
      const before = life.mortal.steps;
      for (const mux of muxes) life.table.put(mux, keysOf(mux), 0);
      life.table.keepNumbersAhead();
      for (const mux of muxes) assert.equal(life.take(mux, mux), from);
      for (const mux of muxes) life.table.put(mux, keysOf(mux + 1e6), 0);
      for (const mux of muxes) assert.equal(life.take(mux, mux), from);
      assert.equal(life.mortal.steps, before);
      life.end();
      assert.ok(life.mortal.steps - before < 64 * 8, "a file is written once");
    };
    run(new Life(path), 0);
    const second = new Life(path);
    for (const mux of muxes) second.table.put(mux, keysOf(mux + 1e6), 0);
    second.table.keepNumbersAhead();
    for (const mux of muxes) assert.equal(second.take(1, mux), mux);
    second.kill();
    assert.ok([...Deno.readDirSync(path)].length <= 64 + 4);
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
  "keys that come and go fill no memory, and go on where they were left",
  (path) => {
    const life = new Life(path);
    const changes = 5000;
    for (let key = 1; key <= changes; key++) {
      life.start(key);
      life.take(key);
    }
    assert.ok(keptSpaces(path) >= 4096, "they are in the files");
    for (const key of [1, 77, 4090, 4999]) {
      life.start(key);
      assert.equal(life.take(), key);
    }
    life.end();
    assert.equal(keptSpaces(path), changes);
    const next = new Life(path);
    for (const key of [2, 5000]) assert.equal(next.start(key).take(), key);
    assert.equal(next.start(1).take(), 2);
    next.end();
    assert.deepEqual([...life.lines, ...next.lines], []);
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

/** What was used of each sender id: ranges that must not overlap. */
class Used {
  readonly #ranges: [number, number][] = [];

  add(first: number, end: number): void {
    for (const [from, to] of this.#ranges) {
      assert.ok(end <= from || first >= to, `${first} to ${end} used twice`);
    }
    this.#ranges.push([first, end]);
  }
}

folderTest(
  "kills use up numbers of the keys that had some, and of no others",
  (path) => {
    for (let start = 0; start < 10; start++) {
      const life = new Life(path).start(1);
      assert.equal(life.take(10), start * BLOCK);
      life.kill();
      new Life(path).kill();
    }
    const other = new Life(path).start(2);
    assert.equal(other.take(), 0);
    other.start(1);
    assert.equal(other.take(), 10 * BLOCK);
    other.end();
    assert.deepEqual(other.lines, []);
  },
);

folderTest(
  "an end after a start that failed forgets nothing of a process that was killed",
  (path) => {
    const killed = new Life(path).start(1);
    killed.take(10);
    killed.kill();
    const failed = new Life(path, {}, (libc) => libc.fails = () => true);
    failed.mortal.fails = () => false;
    failed.end();
    const next = new Life(path).start(1);
    assert.equal(next.take(), BLOCK);
    next.end();
  },
);

folderTest(
  "of two daemons that are killed or end in turns none climbs",
  (path) => {
    let [one, other] = [new Life(path), new Life(path)];
    for (let turn = 0; turn < 6; turn++) {
      one.start(1).take(10);
      if (turn % 2 === 0) one.kill();
      else one.end();
      [one, other] = [other, new Life(path)];
    }
    const used = new Used();
    for (const life of [one, other]) {
      life.start(2);
      const first = life.take(10);
      assert.ok(first <= BLOCK);
      used.add(first, first + 10);
      life.end();
    }
  },
);

for (
  const [what, spoil] of [
    ["the system crashed", () => ({ bootId: bootIdOf("b008") })],
    ["the list of the keys in use is gone", (path) => {
      Deno.removeSync(`${path}/lent-0`);
      return {};
    }],
    ["the list of the keys in use is damaged", (path) => {
      Deno.writeTextFileSync(`${path}/lent-0`, "x".repeat(1e6));
      return {};
    }],
  ] satisfies [string, (path: string) => LifeOptions][]
) {
  folderTest(
    `after a kill a block is lost for all keys where ${what}`,
    (path) => {
      const life = new Life(path).start(1);
      life.take(10);
      life.kill();
      const next = new Life(path, spoil(path)).start(1);
      assert.equal(next.take(), BLOCK);
      next.start(2);
      assert.equal(next.take(), BLOCK);
      next.end();
    },
  );
}

folderTest(
  "after a kill with more keys than are listed a block is lost for all of them",
  (path) => {
    const life = new Life(path);
    for (let mux = 0; mux <= MOST_LENT; mux++) {
      life.table.put(mux, keysOf(mux), 0);
    }
    life.table.keepNumbersAhead();
    life.kill();
    const next = new Life(path).start(9999);
    assert.equal(next.take(), BLOCK);
    next.end();
  },
);

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

folderTest(
  "with --allow-wrap keys go on where they were when crashes have used up those of all keys",
  (path) => {
    const options = { allowWrap: true };
    const first = new Life(path, options).start(1, SEQ_RANGE / 2 - 1);
    first.take(10);
    first.end();
    useOfEvery(path, 7, SEQ_RANGE);
    const next = new Life(path, options).start(1);
    assert.equal(next.take(), SEQ_RANGE / 2 + 9);
    next.start(2);
    assert.equal(next.take(), 0);
    assert.deepEqual(next.lines, [
      "WARNING: all of the sequence numbers of sender id 7 are used up for all " +
      "keys, as by crashes of the system (--state-dir): with --allow-wrap " +
      "they begin anew",
    ]);
    next.end();
  },
);

for (const how of ["the process is killed before", "there is no room for"]) {
  Deno.test(`if ${how} any one step of the second block, no number is used twice`, () => {
    for (let bad = 0, steps = Infinity; bad < steps; bad++) {
      const path = Deno.makeTempDirSync();
      const used = new Used();
      const takeFrom = (life: Life) => {
        for (let k = 0; k < 12; k++) {
          const first = life.take(BLOCK / 4);
          if (first >= 0) used.add(first, first + BLOCK / 4);
          life.table.keepNumbersAhead();
        }
      };
      const life = new Life(path).start();
      const { mortal } = life;
      const before = mortal.steps;
      const isBad = (step: number) => step === before + bad;
      if (how.startsWith("there")) mortal.fails = isBad;
      else mortal.killAt = before + bad;
      try {
        takeFrom(life);
        steps = mortal.steps - before;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        mortal.killAt = Infinity;
        // What the threads that send still do before they are gone.
        const first = life.take(BLOCK / 8);
        if (first >= 0) used.add(first, first + BLOCK / 8);
      }
      life.kill();
      const next = new Life(path).start();
      takeFrom(next);
      next.kill();
      Deno.removeSync(path, { recursive: true });
      assert.ok(bad < 500);
    }
  });
}

const life = fc.record({
  /** Steps that happen before the kill, from the first look on. */
  killAt: fc.nat(40),
  failEvery: fc.constantFrom(0, 2, 3, 7),
  takes: fc.array(fc.integer({ min: 1, max: BLOCK / 2 }), { maxLength: 12 }),
  isClean: fc.boolean(),
});

Deno.test("whenever the process is killed, and whatever fails to be written, no number is used twice", () => {
  fc.assert(
    fc.property(fc.array(life, { minLength: 2, maxLength: 6 }), (lives) => {
      const path = Deno.makeTempDirSync();
      const used = new Used();
      try {
        for (const { killAt, failEvery, takes, isClean } of lives) {
          const life = new Life(path);
          life.mortal.killAt = life.mortal.steps + killAt;
          const fails = (step: number) =>
            failEvery > 0 && step % failEvery === 0;
          life.mortal.fails = fails;
          try {
            life.start();
            for (const count of takes) {
              const first = life.take(count);
              if (first >= 0) used.add(first, first + count);
              life.table.keepNumbersAhead();
            }
            if (isClean) life.table.settleNumbers();
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          } finally {
            life.mortal.killAt = Infinity;
            life.kill();
          }
        }
      } finally {
        Deno.removeSync(path, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

/** Whoever sends with numbers of a keeper, as short as can be. */
class Sender {
  readonly #mortal: MortalLibc;
  readonly #folder: StateFolder;
  readonly #keeper: NumberKeeper;
  readonly #held = new Map<string, { next: number; end: number }>();

  readonly #ids: readonly number[];

  constructor(
    mortal: MortalLibc,
    path: string,
    ids: readonly number[],
    bootId = BOOT,
  ) {
    this.#mortal = mortal;
    this.#ids = ids;
    const logger = recordingLog();
    this.#folder = new StateFolder(this.#mortal.libc, path);
    const folder = this.#folder;
    const options = { folder, hash, logger, allowWrap: false, bootId };
    this.#keeper = new NumberKeeper(options);
  }

  begin(): this {
    this.#keeper.begin(this.#ids.map((id) => [id]));
    return this;
  }

  failEvery(steps: number): this {
    this.#mortal.fails = (step) => steps > 0 && step % steps === 0;
    return this;
  }

  killIn(steps: number): void {
    this.#mortal.killAt = this.#mortal.steps + steps;
  }

  /** @returns The first number, if there were any */
  send(
    space: string,
    count: number,
    used: Map<string, Used>,
  ): number | undefined {
    const held = this.#held.get(space);
    if (held === undefined || held.end - held.next < count) {
      const from = held?.end ?? this.#keeper.firstUnused(space);
      const request = { space, from, count: BLOCK };
      const [range] = this.#keeper.reserve([request]);
      if (range === undefined) return undefined;
      const next = range.first > from ? range.first : held?.next ?? from;
      this.#held.set(space, { next, end: range.end });
    }
    const { next = 0, end = 0 } = this.#held.get(space) ?? {};
    if (end - next < count) return undefined;
    this.#held.set(space, { next: next + count, end });
    const name = `${space} ${this.#ids[Math.floor(next / SEQ_RANGE)]}`;
    const ofId = used.get(name) ?? new Used();
    used.set(name, ofId);
    ofId.add(next % SEQ_RANGE, next % SEQ_RANGE + count);
    return next;
  }

  settle(spaces: readonly string[]): void {
    const unused = spaces.flatMap((space) => {
      const held = this.#held.get(space);
      return held === undefined ? [] : [{ space, ...held }];
    });
    const isKept = this.#keeper.settle(unused);
    for (const { space, next } of unused) {
      if (isKept) this.#held.delete(space);
      else this.#held.set(space, { next, end: next });
    }
  }

  kill(): void {
    this.#mortal.killAt = Infinity;
    this.#mortal.fails = () => false;
    this.#folder.close();
    this.#keeper.release();
  }
}

folderTest(
  "keys that are given back while another process uses them do not begin anew",
  (path) => {
    using one = new MortalLibc();
    using two = new MortalLibc();
    const first = new Sender(one, path, [7]).begin();
    const other = new Sender(two, path, [7]).begin();
    const used = new Map<string, Used>();
    for (let k = 0; k < 4; k++) other.send("AA", BLOCK / 2, used);
    first.send("AB", 1, used);
    first.send("AA", 1, used);
    first.settle(["AA"]);
    first.send("AA", 1, used);
    for (const sender of [first, other]) sender.kill();
  },
);

for (const how of ["the process is killed before", "there is no room for"]) {
  Deno.test(`if ${how} any one step of a start after a kill, no number is used twice`, () => {
    using mortal = new MortalLibc();
    const isKill = how.startsWith("the process");
    const steps = startAfterKill(mortal, () => {})
      // It does nothing that the next start could see.
      .filter(({ call }) => !isKill || call !== "fsync");
    assert.ok(steps.length > 20 && steps.length < 100);
    for (const { step } of steps) {
      startAfterKill(mortal, (before) => {
        if (isKill) mortal.killAt = before + step;
        else mortal.fails = (it) => it === before + step;
      });
    }
  });
}

/** @returns The steps of the start that could change something. */
function startAfterKill(
  mortal: MortalLibc,
  spoil: (before: number) => void,
): readonly Step[] {
  const path = Deno.makeTempDirSync();
  const used = new Map<string, Used>();
  const first = new Sender(mortal, path, [7]).begin();
  first.send("AA", 10, used);
  first.kill();
  const next = new Sender(mortal, path, [7]);
  const { steps: before, changes } = mortal;
  changes.length = 0;
  spoil(before);
  try {
    next.begin();
    for (const space of ["AB", "AA"]) next.send(space, 10, used);
    next.settle(["AB", "AA"]);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  const done = changes.map(({ call, step }) => ({ call, step: step - before }));
  next.kill();
  const last = new Sender(mortal, path, [7]).begin();
  for (const space of ["AA", "AB"]) {
    assert.ok(last.send(space, 10, used) !== undefined);
  }
  assert.ok((last.send("b", 10, used) ?? Infinity) <= BLOCK);
  last.kill();
  Deno.removeSync(path, { recursive: true });
  return done;
}

const SPACES = ["AA", "AB", "b"];

const act = fc.record({
  /** Of two processes. */
  who: fc.nat(1),
  what: fc.constantFrom(
    ...["send", "send", "send", "send", "settle", "end", "kill", "crash"],
  ),
  space: fc.nat(2),
  count: fc.integer({ min: 1, max: BLOCK / 2 }),
  killIn: fc.oneof(
    { weight: 6, arbitrary: fc.constant(Infinity) },
    { weight: 1, arbitrary: fc.nat(20) },
  ),
  failEvery: fc.constantFrom(0, 0, 0, 13, 17),
  ids: fc.constantFrom([7], [7], [7, 8], [8, 7]),
});

Deno.test("two processes that come and go, with keys that do, use no number twice", () => {
  using one = new MortalLibc();
  using other = new MortalLibc();
  fc.assert(
    fc.property(fc.array(act, { minLength: 20, maxLength: 40 }), (acts) => {
      const path = Deno.makeTempDirSync();
      const used = new Map<string, Used>();
      const senders: (Sender | undefined)[] = [undefined, undefined];
      let boots = 1;
      try {
        for (const { who, what, space: k, count, ...how } of acts) {
          const space = SPACES[k] ?? "";
          const sender = senders[who] ??
            new Sender(
              ...[who === 0 ? one : other, path, how.ids] as const,
              bootIdOf(String(boots)),
            ).failEvery(how.failEvery).begin();
          senders[who] = sender;
          sender.killIn(how.killIn);
          if (what === "crash") {
            for (const sender of senders.splice(0)) sender?.kill();
            boots++;
            continue;
          }
          let isGone = what === "kill";
          try {
            if (what === "send") {
              sender.send(space, count, used);
            } else if (what === "settle") sender.settle([space]);
            else if (what === "end") {
              sender.settle(SPACES);
              isGone = true;
            }
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
            isGone = true;
          }
          if (!isGone) continue;
          sender.kill();
          senders[who] = undefined;
        }
      } finally {
        for (const sender of senders) sender?.kill();
        Deno.removeSync(path, { recursive: true });
      }
    }),
    { numRuns: 15 },
  );
});

folderTest("numbers that wrap turn in a circle for ever", (path) => {
  const life = new Life(path, { allowWrap: true }).start();
  const seen = new Set<number>();
  for (let turn = 0; turn < 400; turn++) {
    life.table.put(MUX, keysOf(), SEQ_RANGE / 2 - 1);
    life.table.keepNumbersAhead();
    life.table.put(MUX, keysOf(), SEQ_RANGE - 1);
    life.table.keepNumbersAhead();
    const last = life.take();
    assert.equal(last % SEQ_RANGE, SEQ_RANGE - 1);
    life.table.keepNumbersAhead();
    const next = life.take();
    assert.equal(next % SEQ_RANGE, 0);
    seen.add(Math.floor(next / SEQ_RANGE));
  }
  assert.ok(Math.max(...seen) > 150 && Math.max(...seen) <= 192);
  life.end();
});
