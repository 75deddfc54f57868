import { strict as assert } from "node:assert";
import { AcceptedMemory } from "../../../src/state/accepted_memory.ts";
import {
  FILE_WORDS,
  HIGHEST,
  placeOf,
  readRecord,
  RECORDS,
  writeRecord,
} from "../../../src/state/accepted_records.ts";
import { AcceptedWatch } from "../../../src/state/accepted_watch.ts";

const PRINT = 7 * 2 ** 32 + 0xfedcba98;

function setUp() {
  const words = new Uint32Array(FILE_WORDS);
  const memory = new AcceptedMemory(words);
  const accept = (mux: number, senderId: number, highest: number) => {
    const place = memory.of(mux, PRINT).open(senderId, highest);
    words[place] = highest;
    return (next: number) => words[place] = next;
  };
  return { accept, words };
}

function told(watch: AcceptedWatch): string[] {
  return watch.look().map(({ mux, print, senderId, highest }) => {
    assert.equal(print, 0xfedcba98);
    return `${mux}/${senderId} ${highest}`;
  });
}

Deno.test("what was accepted is told one look later, as it was at the look before", () => {
  const { accept, words } = setUp();
  const watch = new AcceptedWatch(words);
  const goOn = accept(5, 2, 100);
  assert.deepEqual(told(watch), [], "it may be of just now");
  goOn(200);
  assert.deepEqual(told(watch), ["5/2 100"]);
  goOn(201);
  accept(0, 0, 9);
  assert.deepEqual(told(watch), ["5/2 200"]);
  assert.deepEqual(told(watch).toSorted(), ["0/0 9", "5/2 201"]);
  assert.deepEqual(told(watch), [], "nothing has changed");
});

Deno.test("what is from before is told to who asks for all, and to nobody else", () => {
  const { accept, words } = setUp();
  accept(5, 2, 100);
  const watch = new AcceptedWatch(words);
  assert.deepEqual(told(watch), []);
  assert.deepEqual(told(watch), []);
  assert.deepEqual(
    watch.all(),
    [{ mux: 5, print: 0xfedcba98, senderId: 2, highest: 100 }],
  );
});

Deno.test("a place that goes to another sender tells of the one before it last", () => {
  const { accept, words } = setUp();
  const goOn = accept(1, 1, 10);
  const watch = new AcceptedWatch(words);
  goOn(11);
  assert.deepEqual(told(watch), []);
  const record = Array.from({ length: RECORDS }, (_, k) => k)
    .find((k) => readRecord(words, k) !== undefined) ?? -1;
  const before = readRecord(words, record);
  assert.ok(before);
  writeRecord(words, record, { ...before, senderId: 2, highest: 5 });
  assert.deepEqual(told(watch), ["1/1 11"]);
  assert.deepEqual(told(watch), ["1/2 5"]);
  words.fill(0);
  assert.deepEqual(told(watch), []);
  assert.deepEqual(watch.all(), []);
});

Deno.test("the number of a sender that takes a place during a look is not told under the name of another", () => {
  const { accept, words } = setUp();
  accept(5, 2, 100);
  const record = Array.from({ length: RECORDS }, (_, k) => k)
    .find((k) => readRecord(words, k) !== undefined) ?? 0;
  const place = placeOf(record);
  const other = { mux: 6, senderId: 3, fingerprint: PRINT, highest: 7 };
  let isDue = false;
  const raced = new Proxy(words, {
    get(target, key) {
      if (isDue && key === String(place + HIGHEST)) {
        isDue = false;
        writeRecord(words, record, { ...other, seen: 0, peak: 0 });
      }
      return Reflect.get(target, key);
    },
  });
  const watch = new AcceptedWatch(raced);
  isDue = true;
  assert.deepEqual(told(watch), []);
  assert.deepEqual(told(watch), ["6/3 7"]);
});
