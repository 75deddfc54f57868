import { strict as assert } from "node:assert";
import fc from "fast-check";
import { ReplayMemory, ReplayWindow } from "../../../mod.ts";

const SENDERS = 1024;

/** A memory, and what its bound has cost. */
function memoryOf(bytes: number) {
  const lost = { bits: 0, sender: 0 };
  const memory = new ReplayMemory(bytes, (loss) => lost[loss]++);
  const window = (size: number, senders = SENDERS) =>
    new ReplayWindow(size, senders, memory);
  return { memory, lost, window };
}

Deno.test("windows that fit cost nothing", () => {
  const { memory, lost, window } = memoryOf(1 << 20);
  const windows = [64, 1024, 0].map((size) => window(size));
  for (const one of windows) for (let k = 0; k < 9; k++) one.accept(k, 7);
  assert.deepEqual(lost, { bits: 0, sender: 0 });
  assert.equal(
    memory.bytes,
    windows.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const one of windows) one.clear();
  assert.equal(memory.bytes, 0);
});

Deno.test("the sender that was silent longest makes room, whichever window it is of", () => {
  const size = 1 << 16;
  const { lost, window } = memoryOf(50_000);
  const windows = [1, 2, 3, 4].map(() => window(size));
  const hasBits = () => windows.map(({ bytes }) => bytes > size / 8);
  for (const one of windows) one.accept(5, 100);
  assert.deepEqual(hasBits(), [true, true, true, true]);
  windows[0]?.accept(5, 101);
  window(size).accept(5, 100);
  assert.deepEqual(hasBits(), [true, false, true, true]);
  window(size).accept(5, 100);
  assert.deepEqual(hasBits(), [true, false, false, true]);
  assert.deepEqual(lost, { bits: 2, sender: 0 });
  for (const one of windows) assert.ok(one.refuses(5, 100), "no replay is new");
  assert.ok(windows[1]?.accept(5, 101), "it is heard as before");
  assert.deepEqual(hasBits(), [true, true, false, false]);
});

Deno.test("one authenticated peer with all sender ids takes no more than the bound, and none of its datagrams becomes new", () => {
  const bytes = 8 << 20;
  for (const size of [0, 64, 1024, 1 << 20]) {
    const { memory, lost, window } = memoryOf(bytes);
    const one = window(size);
    for (let id = 0; id <= 0xffff; id++) {
      assert.ok(one.accept(id, 3));
      if (id % 1000 === 0) assert.ok(memory.bytes <= bytes);
    }
    const forgotten = lost.sender;
    assert.equal(one.senders, 0x10000 - forgotten);
    assert.ok(memory.bytes <= bytes, `${memory.bytes} at ${size}`);
    if (size === 0) continue;
    let heard = 0;
    for (let id = 0xffff; id >= forgotten + 2000; id--) {
      if (!one.refuses(id, 3)) heard++;
    }
    assert.equal(heard, 0);
  }
});

Deno.test("a sender is forgotten for a new one where nothing but highest numbers is left, and said", () => {
  // Room for 100 numbers, and for not much more than one sender.
  const { lost, window } = memoryOf(4 * 100 * 48);
  const busy = window(1 << 16);
  for (let id = 0; id < 101; id++) busy.accept(id, 3);
  assert.deepEqual(lost, { bits: 100, sender: 0 });
  for (let id = 101; id < 151; id++) busy.accept(id, 3);
  assert.deepEqual(lost, { bits: 150, sender: 50 });
  const known = Array.from({ length: 151 }, (_, id) => id)
    .filter((id) => busy.highest(id) !== undefined);
  assert.deepEqual(known, Array.from({ length: 101 }, (_, k) => 50 + k));
  // What another window has to give up takes from the one that has most.
  const other = window(1 << 16);
  assert.ok(other.accept(1, 1));
  assert.ok(other.accept(2, 1));
  assert.equal(other.highest(1), 1);
  assert.deepEqual([busy.highest(51), busy.highest(52)], [undefined, 3]);
  assert.deepEqual(lost, { bits: 152, sender: 52 });
});

Deno.test("peers with all sender ids have their own forgotten, and not those of others", () => {
  // Room for 2000 numbers, and for few senders.
  const { memory, lost, window } = memoryOf(4 * 2000 * 48);
  const quiet = Array.from({ length: 20 }, () => window(64));
  const greedy = Array.from({ length: 3 }, () => window(64));
  const flood = (first: number) => {
    for (let id = first; id < first + 5000; id++) {
      for (const one of greedy) assert.ok(one.accept(id, 3));
    }
  };
  flood(0);
  for (let id = 0; id < 50; id++) {
    for (const one of quiet) assert.ok(one.accept(id, 100 + id));
  }
  flood(5000);
  assert.ok(lost.sender > 20_000);
  assert.ok(memory.bytes <= 4 * 2000 * 48);
  for (const one of quiet) {
    assert.equal(one.senders, 50);
    for (let id = 0; id < 50; id++) {
      assert.equal(one.accept(id, 100 + id), false, "a recording");
    }
  }
  for (const one of greedy) {
    for (let id = 9900; id < 10_000; id++) assert.ok(one.refuses(id, 3));
  }
});

Deno.test("a sender that comes back is not forgotten next", () => {
  const { window } = memoryOf(4 * 3 * 48);
  const one = window(8, 1);
  const highest = () =>
    [0, 1, 2, 3, 4, 5, 6].filter((id) => one.refuses(id, 1));
  for (const id of [0, 1, 2, 3]) one.accept(id, 1);
  assert.deepEqual(highest(), [0, 1, 2, 3]);
  assert.ok(one.accept(0, 2));
  assert.ok(one.accept(4, 1));
  assert.ok(one.accept(5, 1));
  assert.deepEqual(highest(), [0, 3, 4, 5]);
});

Deno.test("what windows take is counted exactly, and nothing accepted is new again", () => {
  const step = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ k: fc.nat(2), id: fc.nat(9), seq: fc.nat(30) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        k: fc.nat(2),
        size: fc.constantFrom(0, 8, 64, 2000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ k: fc.nat(2) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { memory, lost, window } = memoryOf(4000);
      const windows = [window(8, 3), window(64), window(2000)];
      const accepted = windows.map(() => new Set<string>());
      for (const step of steps) {
        const one = windows[step.k];
        const seen = accepted[step.k];
        assert.ok(one && seen);
        if ("size" in step) one.resize(step.size);
        else if (!("id" in step)) {
          one.clear();
          seen.clear();
        } else if (one.accept(step.id, step.seq) && one.size > 0) {
          const name = `${step.id} ${step.seq}`;
          if (lost.sender === 0) assert.ok(!seen.has(name), name);
          seen.add(name);
        }
        const sum = windows.reduce((sum, { bytes }) => sum + bytes, 0);
        assert.equal(memory.bytes, sum);
        assert.ok(sum <= 4000);
      }
    }),
  );
});
