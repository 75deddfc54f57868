import { strict as assert } from "node:assert";
import { ReplayWindow } from "../../../mod.ts";
import { ReplayMemory } from "../../../src/satp/replay_memory.ts";
import { AcceptedMemory } from "../../../src/state/accepted_memory.ts";
import { FILE_WORDS } from "../../../src/state/accepted_records.ts";
import { AcceptedWatch } from "../../../src/state/accepted_watch.ts";
import { ReplayFloors } from "../../../src/tunnel/replay_floors.ts";

const ONE = { index: 0, of: 1 };
const PRINT = 0xfedcba98;
/** As threads have it: 53 bits. */
const FINGERPRINT = 5 * 2 ** 32 + PRINT;

function entry(mux: number, senderId: number, highest: number) {
  return { mux, print: PRINT, senderId, highest };
}

Deno.test("a floor is that of its connection, keys and sender alone, in every thread", () => {
  const main = new ReplayFloors();
  const thread = new ReplayFloors(main.shared);
  assert.equal(main.raise(entry(5, 2, 100), 10), "risen");
  const floors = thread.of(5, FINGERPRINT);
  assert.equal(floors.of(2), 100);
  assert.equal(floors.of(3), undefined);
  assert.equal(thread.of(6, FINGERPRINT).of(2), undefined);
  assert.equal(thread.of(5, FINGERPRINT + 1).of(2), undefined);
  assert.equal(thread.of(0, 0).of(0), undefined, "what is empty is nobody's");
  assert.equal(main.raise({ ...entry(0, 0, 7), print: 0 }, 10), "risen");
  assert.equal(thread.of(0, 0).of(0), 7);
});

Deno.test("a floor rises, also around the wrap, and never falls", () => {
  const floors = new ReplayFloors();
  const own = floors.of(5, FINGERPRINT);
  assert.equal(floors.raise(entry(5, 2, 0xfffffff0), 1), "risen");
  assert.equal(floors.raise(entry(5, 2, 0xffffffef), 1), "known");
  assert.equal(own.of(2), 0xfffffff0);
  assert.equal(floors.raise(entry(5, 2, 3), 1), "risen");
  assert.equal(own.of(2), 3);
  assert.equal(floors.raise(entry(5, 2, 3), 1), "known");
});

Deno.test("a floor is refused where no sender could have come so far", () => {
  const floors = new ReplayFloors();
  const own = floors.of(5, FINGERPRINT);
  floors.raise(entry(5, 2, 1000), 100);
  const far = 1000 + 5 * 2 ** 24;
  assert.equal(floors.raise(entry(5, 2, far), 100), "too far ahead");
  assert.equal(own.of(2), 1000);
  assert.equal(floors.raise(entry(5, 2, 2 ** 31), 103), "too far ahead");
  assert.equal(floors.raise(entry(5, 2, far), 104), "risen", "it took 4 s");
  // Of a sender that is heard here its own numbers count.
  floors.noteOwn(entry(5, 3, 50), 104);
  assert.equal(own.of(3), undefined, "its own number is no floor");
  assert.equal(floors.raise(entry(5, 3, far), 104), "too far ahead");
  assert.equal(floors.raise(entry(5, 3, 40), 104), "risen");
  floors.noteOwn(entry(5, 3, 5000), 105);
  assert.equal(own.of(3), 40);
});

Deno.test("a thread takes the muxes of its share whose floors have risen", () => {
  const floors = new ReplayFloors();
  const turn = floors.turn;
  floors.spread([]);
  assert.equal(floors.turn, turn);
  floors.spread([4, 7, 9]);
  assert.notEqual(floors.turn, turn);
  const share = { index: 1, of: 2 };
  assert.equal(floors.take(0, share), 7);
  assert.equal(floors.take(8, share), 9);
  assert.equal(floors.take(0, share), -1);
  assert.equal(floors.take(0, { index: 0, of: 2 }), 4);
});

Deno.test("who tells of all sender ids of a connection has none of another one forgotten", () => {
  const floors = new ReplayFloors();
  for (let mux = 0; mux < 2000; mux++) floors.raise(entry(mux, 1, 9), 1);
  let refused = 0;
  for (let k = 0; k < 300_000; k++) {
    const print = PRINT + (k >>> 16);
    const told = { mux: 65_000, print, senderId: k & 0xffff, highest: 1 };
    if (floors.raise(told, 2) === "no room") refused++;
  }
  for (let mux = 0; mux < 2000; mux++) {
    assert.equal(floors.of(mux, FINGERPRINT).of(1), 9, `mux ${mux}`);
  }
  assert.ok(refused < 1000, "its own give way: the last ones count");
  assert.equal(floors.raise(entry(3000, 1, 9), 3), "risen", "others have room");
});

/** A member: its window, what it tells, and what it is told. */
class Member {
  readonly floors = new ReplayFloors();
  readonly #accepted = new Uint32Array(FILE_WORDS);
  readonly watch = new AcceptedWatch(this.#accepted);
  readonly window = new ReplayWindow(
    1024,
    1024,
    new ReplayMemory(),
    new AcceptedMemory(this.#accepted).of(5, FINGERPRINT),
    this.floors.of(5, FINGERPRINT),
  );

  tell(others: readonly Member[], now: number): void {
    const changes = this.watch.look();
    for (const other of others) {
      for (const change of changes) other.floors.raise(change, now);
      other.floors.spread([5]);
      if (other.floors.take(0, ONE) === 5) other.window.raise();
    }
  }
}

/**
 * A client whose datagrams go by turns to three members, each of them late by
 * up to so many ms, and who took which number.
 */
function alternate(perSecond: number, mostLate: number) {
  const members = [new Member(), new Member(), new Member()];
  const events: [at: number, happens: () => void][] = [];
  const taken: [member: number, seq: number, at: number][] = [];
  let lost = 0;
  // The same each time, and without an order.
  const late = (seq: number) => (seq * 7919 % 1000) / 1000 * mostLate;
  for (let seq = 0; seq < perSecond * 6; seq++) {
    const at = seq * 1000 / perSecond + late(seq);
    const k = seq % 3;
    events.push([at, () => {
      if (members[k]?.window.accept(1, seq)) taken.push([k, seq, at]);
      else lost++;
    }]);
  }
  members.forEach((member, k) => {
    const others = members.filter((other) => other !== member);
    for (let s = 0; s < 12; s++) {
      const at = s * 1000 + k * 321;
      events.push([at, () => member.tell(others, s)]);
    }
  });
  events.sort(([a], [b]) => a - b);
  for (const [, happens] of events) happens();
  return { lost, members, taken };
}

Deno.test("a client whose datagrams go by turns to all members loses none that comes within a second", () => {
  for (const perSecond of [3, 50, 700]) {
    assert.equal(alternate(perSecond, 999).lost, 0, `${perSecond} a second`);
  }
});

Deno.test("what comes later than that is taken for a replay", () => {
  assert.ok(alternate(50, 4000).lost > 0);
});

Deno.test("what one member took is refused by all others two seconds later", () => {
  const { members, taken } = alternate(100, 200);
  assert.equal(taken.length, 600);
  for (const { window } of members) {
    for (const [, seq] of taken) assert.equal(window.accept(1, seq), false);
    assert.ok(window.accept(1, 600));
  }
});
