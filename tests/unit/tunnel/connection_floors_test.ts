import { strict as assert } from "node:assert";
import type { MuxShare } from "../../../src/state/accepted_memory.ts";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { ReplayFloors } from "../../../src/tunnel/replay_floors.ts";

function keysOf(first: number) {
  return {
    role: "left" as const,
    windowSize: 64,
    secrets: {
      key: Uint8Array.from({ length: 16 }, (_, k) => first + k),
      salt: new Uint8Array(14),
    },
  };
}

/** A thread that receives, and the main thread that is told of floors. */
class Thread {
  readonly table = new ConnectionTable(ConnectionTable.allocate());
  readonly floors = new ReplayFloors();
  readonly connections: Connections;

  constructor(share: MuxShare = { index: 0, of: 1 }) {
    const { engine } = openBuiltin(0);
    const floors = { floors: this.floors, share };
    const { table } = this;
    this.connections = new Connections(
      ...[table, engine, undefined, undefined, floors] as const,
    );
  }

  put(mux: number, first: number, old: "drop" | "keep" = "drop"): void {
    this.table.put(mux, keysOf(first), 0, old);
  }

  raise(mux: number, first: number, highest: number): void {
    const fingerprint = this.fingerprint(mux, first);
    const print = fingerprint % 2 ** 32 >>> 0;
    this.floors.raise({ mux, print, senderId: 1, highest }, 0);
    this.floors.spread([mux]);
    this.connections.dropRetired();
    this.connections.raiseFloors();
  }

  fingerprint(mux: number, first: number): number {
    const { sets } = this.table.held(mux);
    const found = sets.find(({ secrets: { key } }) => key[0] === first);
    return found?.fingerprint ?? assert.fail("there are no such keys");
  }

  /** Whether a datagram with these keys would be new. */
  takes(mux: number, first: number, seq: number): boolean {
    const fingerprint = this.fingerprint(mux, first);
    const { sets = [] } = this.connections.get(mux) ?? {};
    const keys = sets.find((one) => one.fingerprint === fingerprint);
    return keys?.replay.accept(1, seq) ?? assert.fail("there are no such keys");
  }
}

Deno.test("a floor is that of one set of keys, before the first datagram and after it", () => {
  const thread = new Thread();
  thread.put(5, 10);
  thread.put(5, 20, "keep");
  thread.raise(5, 10, 100);
  assert.ok(!thread.takes(5, 10, 100), "nobody had asked for the connection");
  assert.ok(thread.takes(5, 20, 100), "the keys of another epoch");
  assert.ok(thread.takes(5, 10, 101));
  thread.raise(5, 10, 150);
  assert.ok(!thread.takes(5, 10, 150));
  assert.ok(thread.takes(5, 20, 101));
});

Deno.test("who has the keys of a sender needs no floor to cut it off: a number is as far ahead as they say", () => {
  const thread = new Thread();
  thread.put(5, 10);
  assert.ok(thread.takes(5, 10, 100));
  assert.ok(thread.takes(5, 10, 2 ** 31 - 1));
  assert.ok(!thread.takes(5, 10, 101));
});

Deno.test("keys that come back have the floors that rose meanwhile", () => {
  const thread = new Thread();
  thread.put(5, 10);
  assert.ok(thread.takes(5, 10, 50));
  const fingerprint = thread.fingerprint(5, 10);
  thread.put(5, 20);
  thread.connections.dropRetired();
  const print = fingerprint % 2 ** 32 >>> 0;
  thread.floors.raise({ mux: 5, print, senderId: 1, highest: 90 }, 0);
  thread.floors.spread([5]);
  thread.connections.raiseFloors();
  thread.put(5, 10);
  assert.ok(!thread.takes(5, 10, 90));
  assert.ok(thread.takes(5, 10, 91));
});

Deno.test("a thread leaves the floors of others to them", () => {
  const thread = new Thread({ index: 1, of: 2 });
  thread.floors.spread([4, 5]);
  thread.connections.raiseFloors();
  assert.equal(thread.floors.take(0, { index: 0, of: 2 }), 4);
  assert.equal(thread.floors.take(0, { index: 1, of: 2 }), -1);
});

Deno.test("many floors at once are taken in some rounds, and none is left out", () => {
  for (const rounds of [3, 4]) {
    const thread = new Thread();
    thread.floors.spread(Array.from({ length: 1000 }, (_, mux) => mux));
    for (let k = 0; k < rounds; k++) thread.connections.raiseFloors();
    const left = thread.floors.take(0, { index: 0, of: 1 });
    assert.equal(left, rounds === 3 ? 768 : -1);
  }
});
