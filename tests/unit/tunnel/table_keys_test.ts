import assert from "node:assert/strict";
import { parseEndpoint } from "../../../src/net/endpoint.ts";
import {
  type ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import type { HeldKeys } from "../../../src/tunnel/key_sets.ts";
import { STALE } from "../../../src/tunnel/numbers.ts";
import {
  endpointText,
  epochOf,
  keysOf,
  MUX,
  newTable,
} from "../../fakes/shared_table.ts";

const RECORD_BYTES = 576;
/** The keys that are held, by their first bytes. */
function heldKeys(table: ConnectionTable): Map<number, HeldKeys> {
  const { sets } = table.held(MUX);
  return new Map(sets.map((keys) => [keys.secrets.key[0] ?? -1, keys]));
}

Deno.test("keys keep their name as long as they are held, and it never comes back", () => {
  const table = newTable();
  const first = table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.sealing(MUX), first);
  const second = table.addOpening(MUX, keysOf({ key: 2 })) ?? 0;
  assert.equal(table.addOpening(MUX, keysOf({ key: 2 })), second);
  assert.equal(table.put(MUX, keysOf({ key: 2 }), 0, "keep"), second);
  assert.equal(table.sealing(MUX), second);
  assert.equal(heldKeys(table).get(1)?.name, first);
  assert.equal(heldKeys(table).get(2)?.name, second);
  assert.equal(table.put(MUX, keysOf({ key: 1 }), 0, "keep"), first);
  assert.equal(table.dropOpening(MUX, first), false, "they seal");
  assert.equal(table.dropOpening(MUX, second), true);
  assert.equal(table.dropOpening(MUX, second), false);
  assert.equal(table.dropOpening(MUX, 0), false);
  const names = [first, second];
  for (const role of ["left", "right"] as const) {
    names.push(table.addOpening(MUX, keysOf({ key: 2, role })) ?? 0);
  }
  table.remove(MUX);
  assert.equal(table.sealing(MUX), undefined);
  assert.equal(table.addOpening(MUX, keysOf()), undefined);
  names.push(table.put(MUX, keysOf({ key: 1 }), 0));
  assert.equal(new Set(names).size, names.length);
});

Deno.test("keys that are put for good take all others with them, also where they seal already", () => {
  const table = newTable();
  const held = () => [...heldKeys(table).keys()];
  table.put(MUX, keysOf({ key: 1 }), 0);
  table.addOpening(MUX, keysOf({ key: 2 }));
  table.put(MUX, keysOf({ key: 1, windowSize: 8 }), 9, "keep");
  assert.deepEqual(held(), [1, 2]);
  const before = table.retirements;
  table.put(MUX, keysOf({ key: 1, windowSize: 8 }), 9);
  assert.deepEqual(held(), [1]);
  assert.notEqual(table.retirements, before, "there are copies to wipe");
  table.put(MUX, keysOf({ key: 3 }), 0);
  assert.deepEqual(held(), [3]);
});

Deno.test("keys rank as they have their turn, and those that seal again come last", () => {
  const table = newTable();
  const order = () => {
    const ranked = [...heldKeys(table)].toSorted(([, a], [, b]) =>
      a.rank - b.rank
    );
    return ranked.map(([key]) => key);
  };
  table.put(MUX, keysOf({ key: 5 }), 0);
  table.addOpening(MUX, keysOf({ key: 6 }));
  table.addOpening(MUX, keysOf({ key: 4 }), "before");
  table.addOpening(MUX, keysOf({ key: 3 }), "before");
  assert.deepEqual(order(), [3, 4, 5, 6]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  assert.deepEqual(order(), [3, 4, 5, 6], "they were ahead of their turn");
  table.put(MUX, keysOf({ key: 7 }), 0, "keep");
  assert.deepEqual(order(), [4, 5, 6, 7]);
  table.put(MUX, keysOf({ key: 4 }), 0, "keep");
  assert.deepEqual(order(), [5, 6, 7, 4]);
  table.dropOpening(MUX, table.addOpening(MUX, keysOf({ key: 5 })) ?? 0);
  table.addOpening(MUX, keysOf({ key: 9 }), "before");
  assert.deepEqual(order(), [6, 7, 9, 4]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  table.addOpening(MUX, keysOf({ key: 4 }));
  assert.deepEqual(order(), [7, 9, 4, 6], "what is held keeps its rank");
});

Deno.test("of more keys than there is room for the oldest go, but those that seal stay", () => {
  const table = newTable();
  const before = table.retirements;
  table.put(MUX, keysOf({ key: 1 }), 0);
  for (const key of [2, 3, 4]) table.addOpening(MUX, keysOf({ key }));
  assert.equal(table.retirements, before);
  table.addOpening(MUX, keysOf({ key: 5 }));
  assert.notEqual(table.retirements, before);
  const held = () => [...heldKeys(table).keys()].toSorted();
  assert.deepEqual(held(), [1, 3, 4, 5]);
  table.put(MUX, keysOf({ key: 6 }), 0, "keep");
  assert.deepEqual(held(), [1, 4, 5, 6]);
  table.put(MUX, keysOf({ key: 7 }), 0, "keep");
  assert.deepEqual(held(), [4, 5, 6, 7]);
});

Deno.test("numbers go on for keys that were for opening only meanwhile", () => {
  const table = newTable();
  table.put(MUX, keysOf({ key: 1 }), 0);
  assert.equal(table.reserve(MUX, epochOf(table), 100), 0);
  const old = epochOf(table);
  table.put(MUX, keysOf({ key: 2 }), 0, "keep");
  assert.equal(table.reserve(MUX, old, 1), STALE);
  assert.equal(table.reserve(MUX, epochOf(table), 5), 0);
  table.put(MUX, keysOf({ key: 1 }), 0, "keep");
  assert.equal(table.reserve(MUX, epochOf(table), 1), 100);
});

Deno.test("keys that are dropped are overwritten, and nothing is noted for others in their place", () => {
  const table = newTable();
  const record = new Uint8Array(table.shared.buffer).subarray(
    MUX * RECORD_BYTES,
    (MUX + 1) * RECORD_BYTES,
  );
  table.put(MUX, keysOf({ key: 1 }), 0);
  const old = table.addOpening(MUX, keysOf({ key: 0xa5 })) ?? 0;
  table.noteOpened(MUX, old, 7.5);
  assert.equal(table.lastOpened(MUX, old), 7.5);
  assert.ok(record.includes(0xa5) && record.includes(0xa6));
  table.dropOpening(MUX, old);
  assert.ok(!record.includes(0xa5) && !record.includes(0xa6));
  const present = table.addOpening(MUX, keysOf({ key: 3 })) ?? 0;
  table.noteOpened(MUX, old, 8.5);
  assert.equal(table.lastOpened(MUX, present), undefined);
  assert.equal(table.lastOpened(MUX, old), undefined);
  const { fingerprint } = heldKeys(table).get(3) ?? {};
  assert.ok(fingerprint);
  table.put(MUX, keysOf({ key: 3 }), 0);
  assert.equal(heldKeys(table).get(3)?.fingerprint, fingerprint);
});

Deno.test("a peer is followed only under the keys that it was heard with", () => {
  const table = newTable();
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint("192.0.2.1:4444"));
  table.put(MUX, keysOf(), 0);
  const name = table.sealing(MUX) ?? 0;
  assert.equal(table.endpoints.follow(MUX, name, words, 0), true);
  assert.equal(endpointText(table, MUX), "192.0.2.1:4444");
  table.remove(MUX);
  assert.equal(table.endpoints.follow(MUX, name, words, 0), false);
  assert.equal(
    table.endpoints.follow(MUX, table.sealing(MUX) ?? 0, words, 0),
    false,
  );
  table.put(MUX, keysOf(), 0);
  assert.equal(table.endpoints.follow(MUX, name, words, 0), false);
  assert.equal(endpointText(table, MUX), undefined);
});
