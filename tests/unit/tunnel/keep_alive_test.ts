import { strict as assert } from "node:assert";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { ConnectionCounter, count } from "../../../src/tunnel/counters.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { KeepAlive } from "../../../src/tunnel/keep_alive.ts";
import { parseEndpoint } from "../../../src/net/endpoint.ts";

function tableWith(...muxes: readonly number[]): ConnectionTable {
  const table = new ConnectionTable(ConnectionTable.allocate());
  for (const mux of muxes) connect(table, mux, "192.0.2.1:4444");
  return table;
}

function connect(table: ConnectionTable, mux: number, remote?: string): void {
  const words = endpointWords();
  writeEndpoint(words, 0, remote ? parseEndpoint(remote) : undefined);
  table.endpoints.set(mux, words, 0);
  const secrets = {
    key: new Uint8Array(16).fill(mux),
    salt: new Uint8Array(14),
  };
  table.put(mux, { role: "left", secrets, windowSize: 0 }, 0);
}

function send(table: ConnectionTable, mux: number): void {
  count(table.counters.of(mux), ConnectionCounter.PACKETS_OUT);
}

Deno.test("a peer is due at once, and whenever nothing was sent to it for as long", () => {
  const table = tableWith(7);
  const keepAlive = new KeepAlive(table, false);
  const look = (now: number) => keepAlive.look(5000, now);
  assert.deepEqual(look(0), [7]);
  assert.equal(table.due.take(0), 7);
  assert.deepEqual(look(4999), []);
  send(table, 7);
  assert.deepEqual(look(5000), []);
  assert.deepEqual(look(9999), []);
  assert.deepEqual(look(10_000), [7]);
  assert.deepEqual(look(14_000), []);
});

Deno.test("a connection that was removed and made again is due at once", () => {
  const table = tableWith(7, 8);
  const keepAlive = new KeepAlive(table, true);
  assert.deepEqual(keepAlive.look(5000, 0), [7, 8]);
  table.remove(8);
  assert.deepEqual(keepAlive.look(5000, 1000), []);
  connect(table, 8, "192.0.2.1:4444");
  assert.deepEqual(keepAlive.look(5000, 2000), [8]);
});

Deno.test("a peer whose endpoint is not known is due as soon as it is", () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  connect(table, 7);
  const keepAlive = new KeepAlive(table, false);
  assert.deepEqual(keepAlive.look(5000, 0), []);
  connect(table, 7, "192.0.2.1:4444");
  assert.deepEqual(keepAlive.look(5000, 1000), [7]);
});

Deno.test("without routing the first connection alone is kept alive, with it all of them", () => {
  const table = tableWith(7, 8);
  assert.deepEqual(new KeepAlive(table, false).look(5000, 0), [7]);
  assert.deepEqual(new KeepAlive(table, true).look(5000, 0), [7, 8]);
});

Deno.test("with 0 seconds nobody is ever due, and later all are again", () => {
  const table = tableWith(7);
  const keepAlive = new KeepAlive(table, false);
  assert.deepEqual(keepAlive.look(0, 0), []);
  assert.deepEqual(keepAlive.look(5000, 1000), [7]);
  assert.deepEqual(keepAlive.look(0, 1500), []);
  assert.deepEqual(keepAlive.look(5000, 2000), [7], "since it began anew");
  assert.deepEqual(keepAlive.look(0, 90_000), []);
  assert.deepEqual(keepAlive.look(5000, 91_000), [7]);
});

Deno.test("those that are due are taken once, each by the thread that has its remainder", () => {
  const { due } = tableWith();
  const turn = due.turn;
  due.add([0, 31, 32, 4000, 65535]);
  assert.notEqual(due.turn, turn);
  const taken = (index: number) => {
    const all = [];
    let mux = due.take(0, 2, index);
    while (mux >= 0) {
      all.push(mux);
      mux = due.take(mux + 1, 2, index);
    }
    return all;
  };
  assert.deepEqual(taken(1), [31, 65535]);
  assert.deepEqual(taken(0), [0, 32, 4000]);
  assert.deepEqual(taken(0), []);
});
