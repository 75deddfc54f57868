import { strict as assert } from "node:assert";
import { FloorExchange } from "../../../src/daemon/floor_exchange.ts";
import { OTHERS_LOG_LIMIT } from "../../../src/daemon/run_program.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { every } from "../../../src/net/every.ts";
import { AcceptedMemory } from "../../../src/state/accepted_memory.ts";
import { FILE_WORDS } from "../../../src/state/accepted_records.ts";
import { SyncError } from "../../../src/sync/error.ts";
import {
  FLOORS,
  formatFloors,
  MOST_FLOORS,
  parseFloors,
} from "../../../src/sync/floor_message.ts";
import { ReplayFloors } from "../../../src/tunnel/replay_floors.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const FINGERPRINT = 3 * 2 ** 32 + 77;

/** A member that has these connections. */
class Member {
  readonly floors = new ReplayFloors();
  readonly logger = recordingLog();
  readonly said: string[] = [];
  readonly words = new Uint32Array(FILE_WORDS);
  readonly memory = new AcceptedMemory(this.words);
  now = 0;
  readonly exchange = new FloorExchange({
    floors: this.floors,
    words: this.words,
    table: { isLive: (mux) => mux < 100 || mux > 1000 },
    say: (kind, body) => {
      assert.equal(kind, FLOORS);
      this.said.push(body);
    },
    limited: new RateLimitedLog(this.logger, OTHERS_LOG_LIMIT, () => this.now),
  }, { elapsed: () => this.now, every });

  accept(mux: number, senderId: number, highest: number): void {
    const place = this.memory.of(mux, FINGERPRINT).open(senderId, highest);
    this.words[place] = highest;
  }

  second(): void {
    this.now += 1000;
    this.exchange.look();
  }

  floor(mux: number, senderId: number): number | undefined {
    return this.floors.of(mux, FINGERPRINT).of(senderId);
  }
}

function tell(from: Member, to: Member): void {
  for (const body of from.said.splice(0)) {
    to.exchange.said({ name: "192.0.2.1:2323" }, body);
  }
}

Deno.test("what a member had accepted a second ago is a floor at the others", () => {
  const [a, b] = [new Member(), new Member()];
  a.accept(5, 1, 1000);
  a.second();
  assert.deepEqual(a.said, [], "it may be of just now");
  a.second();
  tell(a, b);
  assert.equal(b.floor(5, 1), 1000);
  assert.equal(b.exchange.heardFrom("192.0.2.1:2323"), 1);
  assert.equal(b.floors.take(0, { index: 0, of: 1 }), 5, "threads are told");
  assert.equal(a.floor(5, 1), undefined, "not at its own");
  a.second();
  assert.deepEqual(a.said, [], "nothing has changed");
});

Deno.test("a look that comes too early tells nothing younger than it should", () => {
  const a = new Member();
  a.accept(5, 1, 1000);
  a.second();
  a.now += 300;
  a.exchange.look();
  assert.deepEqual(a.said, []);
  a.now += 700;
  a.exchange.look();
  assert.equal(a.said.length, 1);
});

Deno.test("a member that has come is told all, in messages that are not too long", () => {
  const [a, b] = [new Member(), new Member()];
  const count = MOST_FLOORS + 10;
  for (let k = 0; k < count; k++) a.accept(2000 + k, 1, k);
  a.accept(500, 1, 9);
  for (let k = 0; k < 3; k++) a.second();
  a.said.splice(0);
  a.exchange.joined();
  a.second();
  assert.deepEqual(
    a.said.map((body) => parseFloors(body).length).toSorted(),
    [10, MOST_FLOORS],
  );
  tell(a, b);
  assert.equal(b.floor(2000 + count - 1, 1), count - 1);
  a.second();
  assert.deepEqual(a.said, []);
});

Deno.test("a member that has come is told of many floors a few messages a second, and of all", () => {
  const [a, b] = [new Member(), new Member()];
  const count = 5 * MOST_FLOORS;
  for (let k = 0; k < count; k++) a.accept(2000 + k, 1, k);
  for (let k = 0; k < 3; k++) a.second();
  a.said.splice(0);
  a.exchange.joined();
  for (const messages of [4, 1, 0]) {
    a.second();
    assert.equal(a.said.length, messages);
    tell(a, b);
  }
  for (let k = 0; k < count; k++) assert.equal(b.floor(2000 + k, 1), k);
});

Deno.test("one that comes anew each second keeps nobody from the floors that are told last", () => {
  const [a, b] = [new Member(), new Member()];
  const count = 5 * MOST_FLOORS;
  for (let k = 0; k < count; k++) a.accept(2000 + k, 1, k);
  for (let k = 0; k < 3; k++) a.second();
  a.said.splice(0);
  for (let k = 0; k < 6; k++) {
    a.exchange.joined();
    a.second();
    assert.ok(a.said.length <= 4);
    tell(a, b);
  }
  for (let k = 0; k < count; k++) assert.equal(b.floor(2000 + k, 1), k);
});

Deno.test("a member that has forgotten what it took is told by the others", () => {
  const [a, b] = [new Member(), new Member()];
  b.accept(5, 1, 1000);
  b.second();
  b.second();
  tell(b, a);
  a.accept(5, 2, 9);
  a.second();
  a.exchange.joined();
  a.second();
  const again = new Member();
  tell(a, again);
  assert.equal(again.floor(5, 1), 1000);
  assert.equal(again.floor(5, 2), 9);
});

Deno.test("of connections that there are none of nothing is told, and nothing kept", () => {
  const [a, b] = [new Member(), new Member()];
  a.accept(500, 1, 9);
  a.second();
  a.second();
  assert.deepEqual(a.said, []);
  const told = { print: 77, senderId: 1, highest: 9 };
  const body = formatFloors([{ ...told, mux: 500 }, { ...told, mux: 50 }]);
  b.exchange.said({ name: "x" }, body);
  assert.equal(b.floor(50, 1), 9);
  assert.equal(b.floor(500, 1), undefined);
});

Deno.test("a floor that no sender could have reached is refused with a line, and what is no floor at all as a fault of the stream", () => {
  const [a, b] = [new Member(), new Member()];
  a.accept(5, 1, 1000);
  a.second();
  a.second();
  tell(a, b);
  a.accept(5, 1, 2 ** 30);
  a.second();
  a.second();
  tell(a, b);
  assert.equal(b.floor(5, 1), 1000);
  assert.deepEqual(b.logger.lines, [
    "WARNING: sync: 192.0.2.1:2323 says that it has accepted number 1073741824 of " +
    "sender 1 of connection 5: refused, since no sender counts so fast",
  ]);
  for (const body of ["!", "AAAA", "A", "A".repeat(16 * (MOST_FLOORS + 1))]) {
    assert.throws(() => b.exchange.said({ name: "x" }, body), SyncError);
  }
  b.exchange.said({ name: "x" }, "");
});
