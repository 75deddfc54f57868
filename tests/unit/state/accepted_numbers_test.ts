import assert from "node:assert/strict";
import fc from "fast-check";
import { StateFolder } from "../../../ffi/process/state_folder.ts";
import { wordsAt } from "../../../ffi/process/shared_pages.ts";
import { ReplayMemory } from "../../../src/satp/replay_memory.ts";
import { ReplayWindow } from "../../../src/satp/replay_window.ts";
import {
  AcceptedMemory,
  type KeptSenders,
} from "../../../src/state/accepted_memory.ts";
import { AcceptedNumbers } from "../../../src/state/accepted_numbers.ts";
import { RECORDS } from "../../../src/state/accepted_records.ts";
import { bootIdOf } from "../../../src/state/boot_id.ts";
import { MortalLibc } from "../../fakes/mortal_libc.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const ALL = { index: 0, of: 1 };
const [MUX, KEYS, WINDOW] = [3, 2 ** 52 + 12345, 64];

function windowOver(
  kept: KeptSenders,
  size = WINDOW,
  memory = new ReplayMemory(),
): ReplayWindow {
  return new ReplayWindow(size, 4, memory, kept);
}

/** One run of a daemon over a folder. */
class Life {
  readonly accepted: AcceptedNumbers;
  readonly lines: readonly string[];
  readonly #mortal = new MortalLibc();
  readonly #folder: StateFolder;

  constructor(path: string, boot = "1") {
    const logger = recordingLog();
    this.lines = logger.lines;
    const folder = this.#folder = new StateFolder(this.#mortal.libc, path);
    const bootId = bootIdOf(boot);
    this.accepted = new AcceptedNumbers({ folder, bootId, logger });
  }

  memory(share = ALL): AcceptedMemory {
    return new AcceptedMemory(wordsAt(this.accepted.place), share);
  }

  window(size = WINDOW, mux = MUX, keys = KEYS): ReplayWindow {
    return windowOver(this.memory().of(mux, keys), size);
  }

  kill(): void {
    this.#folder.close();
    this.#mortal[Symbol.dispose]();
  }

  async end(): Promise<void> {
    await this.accepted.close();
    this.kill();
  }
}

function folderTest(
  name: string,
  body: (path: string) => void | Promise<void>,
): void {
  Deno.test(name, async () => {
    const path = Deno.makeTempDirSync();
    try {
      await body(path);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  });
}

folderTest(
  "after a kill nothing is accepted that is at or below what was",
  (path) => {
    const first = new Life(path);
    const before = first.window();
    for (const seq of [100, 101, 105, 90]) assert.ok(before.accept(7, seq));
    assert.ok(before.accept(8, 5));
    first.kill();
    const second = new Life(path);
    const after = second.window();
    for (const seq of [100, 102, 104, 105, 90, 3]) {
      assert.equal(after.refuses(7, seq), true);
      assert.equal(after.accept(7, seq), false);
    }
    assert.equal(after.accept(7, 106), true);
    assert.equal(after.accept(7, 106), false);
    assert.equal(after.accept(8, 5), false);
    assert.equal(after.accept(8, 6), true);
    assert.equal(after.accept(9, 0), true, "a sender that was never heard");
    second.kill();
  },
);

folderTest(
  "other keys, and other connections, have windows of their own",
  (path) => {
    const first = new Life(path);
    first.window().accept(7, 100);
    first.kill();
    const second = new Life(path);
    assert.equal(second.window(WINDOW, MUX, KEYS + 1).accept(7, 1), true);
    assert.equal(second.window(WINDOW, MUX + 1).accept(7, 1), true);
    assert.equal(second.window().accept(7, 1), false);
    second.kill();
  },
);

folderTest(
  "a window that is made larger than 0 later knows what was kept",
  (path) => {
    const first = new Life(path);
    first.window().accept(7, 100);
    first.kill();
    const second = new Life(path);
    const window = second.window(0);
    assert.equal(window.accept(7, 50), true);
    assert.equal(window.accept(8, 9), true);
    window.resize(WINDOW);
    assert.equal(window.accept(7, 100), false);
    assert.equal(window.accept(7, 101), true);
    second.kill();
    const third = new Life(path);
    const after = third.window();
    assert.equal(after.accept(7, 101), false);
    assert.equal(after.accept(8, 9), false);
    third.kill();
  },
);

folderTest(
  "after a crash of the system a margin is added that goes by the rate",
  async (path) => {
    const first = new Life(path, "a");
    const window = first.window();
    window.accept(7, 1000);
    await first.accepted.look(1);
    window.accept(7, 1200);
    await first.accepted.look(2);
    window.accept(8, 1);
    first.kill();
    const second = new Life(path, "b");
    const after = second.window();
    assert.equal(after.highest(7), 1200 + 3 * 200 + 64);
    assert.equal(after.highest(8), 1 + 64);
    await second.end();
    const third = new Life(path, "c");
    assert.equal(third.window().highest(7), 1200 + 3 * 200 + 64, "a clean end");
    third.kill();
  },
);

folderTest(
  "two processes have a file each, and the next one begins with both",
  (path) => {
    const [one, other] = [new Life(path), new Life(path)];
    one.window().accept(7, 100);
    other.window().accept(7, 200);
    other.window(WINDOW, MUX + 1).accept(9, 1);
    one.kill();
    other.kill();
    const next = new Life(path);
    assert.equal(next.window().highest(7), 200);
    assert.equal(next.window(WINDOW, MUX + 1).highest(9), 1);
    next.kill();
  },
);

folderTest(
  "a file that is damaged is told of, and does not stop the start",
  (path) => {
    new Life(path).kill();
    Deno.writeFileSync(`${path}/accepted-0`, new Uint8Array(12));
    const life = new Life(path);
    assert.match(
      life.lines.join(),
      /Cannot use .*accepted-0.*its size is wrong/,
    );
    assert.equal(life.window().accept(7, 1), true);
    life.kill();
  },
);

folderTest(
  "a file of arbitrary bytes is read as far as its records are whole",
  (path) => {
    const first = new Life(path);
    first.window().accept(7, 100);
    first.kill();
    const whole = Deno.readFileSync(`${path}/accepted-0`);
    const places = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(places, (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        Deno.writeFileSync(`${path}/accepted-0`, bytes);
        const life = new Life(path);
        life.window().accept(8, 1);
        life.kill();
      }),
      { numRuns: 20 },
    );
  },
);

folderTest(
  "workers take records of their own connections, and never the same free ones",
  (path) => {
    const first = new Life(path);
    first.window(WINDOW, 4).accept(1, 10);
    first.window(WINDOW, 5).accept(1, 20);
    first.kill();
    const second = new Life(path);
    const memories = [0, 1].map((index) => second.memory({ index, of: 2 }));
    assert.equal(memories[0]?.of(4, KEYS).recall().size, 1);
    assert.equal(memories[0]?.of(5, KEYS).recall().size, 0);
    assert.equal(memories[1]?.of(5, KEYS).recall().size, 1);
    const places = memories.flatMap((memory, k) =>
      Array.from({ length: 100 }, (_, id) => memory.of(k, KEYS).open(id, 0))
    );
    assert.equal(new Set(places).size, 200);
    second.kill();
  },
);

folderTest(
  "without room the records of windows that are gone are used first, and no other",
  (path) => {
    const life = new Life(path);
    let full = 0;
    const words = wordsAt(life.accepted.place);
    const memory = new AcceptedMemory(words, ALL, () => full++);
    const places = Array.from(
      { length: RECORDS },
      (_, k) => memory.of(k >> 10, KEYS).open(k & 1023, 0),
    );
    assert.ok(places.every((place) => place >= 0));
    assert.equal(full, 0);
    assert.equal(memory.of(900, KEYS).open(1, 0), -1);
    const window = windowOver(memory.of(900, KEYS));
    assert.equal(window.accept(1, 5), true, "not kept, but judged");
    assert.equal(window.accept(1, 5), false);
    memory.release(places[17] ?? -1);
    memory.release(places[18] ?? -1);
    assert.equal(full, 2);
    assert.equal(memory.of(900, KEYS).open(1, 0), places[17]);
    assert.deepEqual([...memory.of(0, KEYS).recall().keys()], [18]);
    life.kill();
  },
);

folderTest(
  "a peer with all sender ids leaves the records of others alone, now and after restarts",
  async (path) => {
    const first = new Life(path);
    const memory = first.memory();
    const windows = [1, 2, 3].map((mux) => windowOver(memory.of(mux, KEYS)));
    for (let id = 0; id < 9; id++) windows[0]?.accept(id, 50);
    const greedy = windowOver(memory.of(MUX + 9, KEYS));
    for (let id = 0; id < 0xff00; id++) assert.ok(greedy.accept(id, 7));
    await first.accepted.look(1);
    for (let id = 0xff00; id <= 0xffff; id++) assert.ok(greedy.accept(id, 7));
    await first.accepted.look(2);
    for (let id = 0; id < 9; id++) windows[1]?.accept(id, 60);
    first.kill();
    const second = new Life(path);
    const again = second.memory();
    const more = windowOver(again.of(MUX + 9, KEYS));
    assert.ok(more.senders > RECORDS / 2 - 50);
    assert.equal(more.highest(0xffff), 7, "the newest of its own");
    for (let id = 0; id < RECORDS; id++) more.accept(id, 9);
    for (const [mux, seq] of [[1, 50], [2, 60]] as const) {
      const window = windowOver(again.of(mux, KEYS));
      for (let id = 0; id < 9; id++) {
        assert.equal(window.accept(id, seq), false);
        assert.equal(window.accept(id, seq + 1), true);
      }
    }
    second.kill();
  },
);

folderTest(
  "a record that was given up is written to by its new sender alone",
  async (path) => {
    const life = new Life(path);
    const memory = life.memory();
    const greedy = windowOver(memory.of(MUX, KEYS));
    for (let id = 0; id < RECORDS; id++) assert.ok(greedy.accept(id, 7));
    await life.accepted.look(0);
    const other = windowOver(memory.of(MUX + 1, KEYS));
    assert.ok(other.accept(1, 1000));
    await life.accepted.look(1);
    // Whose record that was: it comes back, and has another one.
    assert.ok(greedy.accept(0, 2000));
    assert.ok(greedy.accept(0, 2001));
    await life.accepted.look(2);
    life.kill();
    const next = new Life(path, "after a crash of the system");
    assert.equal(next.window(WINDOW, MUX + 1).highest(1), 1000 + 64);
    assert.equal(next.window().highest(0), 2001 + 64);
    next.kill();
  },
);

folderTest(
  "a sender of which the highest number is left is kept, also beyond a kill",
  (path) => {
    const first = new Life(path);
    const before = first.window();
    for (let id = 0; id < 100; id++) assert.ok(before.accept(id, 50 + id));
    first.kill();
    const second = new Life(path);
    const after = second.window();
    assert.equal(after.senders, 100);
    for (let id = 0; id < 100; id++) {
      assert.equal(after.accept(id, 50 + id), false);
      assert.equal(after.accept(id, 49), false);
    }
    for (let id = 0; id < 100; id++) assert.ok(after.accept(id, 51 + id));
    assert.equal(after.senders, 100);
    second.kill();
    const third = new Life(path);
    assert.equal(third.window().highest(3), 54, "in the place it had");
    third.kill();
  },
);

for (const bytes of [128 << 10, 0]) {
  folderTest(
    `what a memory of ${bytes} bytes forgets makes room in the file`,
    (path) => {
      const life = new Life(path);
      const memory = life.memory();
      const kept = memory.of(MUX, KEYS);
      const window = windowOver(kept, WINDOW, new ReplayMemory(bytes));
      for (let k = 0; k < 3 * RECORDS; k++) window.accept(k & 0xffff, 1 + k);
      assert.ok(window.senders < 1000);
      assert.ok(memory.of(MUX + 1, KEYS).open(1, 0) >= 0);
      window.clear();
      assert.equal(window.senders, 0);
      assert.equal(memory.of(MUX, KEYS).recall().size, RECORDS - 1);
      life.kill();
    },
  );
}

const datagram = fc.record({ senderId: fc.nat(5), seq: fc.nat(200) });

// Away from the wrap, around which a window takes old numbers for new ones
// (SATP section 9).
Deno.test("whatever comes, and whenever the process is killed, nothing is accepted twice", () => {
  const lives = fc.array(fc.array(datagram, { maxLength: 40 }), {
    minLength: 2,
    maxLength: 5,
  });
  fc.assert(
    fc.property(lives, fc.nat(2 ** 31), (lives, first) => {
      const path = Deno.makeTempDirSync();
      const accepted = new Set<string>();
      try {
        for (const datagrams of lives) {
          const life = new Life(path);
          const window = life.window();
          for (const { senderId, seq } of datagrams) {
            const name = `${senderId} ${(seq + first) >>> 0}`;
            if (!window.accept(senderId, (seq + first) >>> 0)) continue;
            assert.ok(!accepted.has(name), `accepted twice: ${name}`);
            accepted.add(name);
          }
          life.kill();
        }
      } finally {
        Deno.removeSync(path, { recursive: true });
      }
    }),
    { numRuns: 20 },
  );
});
