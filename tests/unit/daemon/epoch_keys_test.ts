import assert from "node:assert/strict";
import { EpochKeys } from "../../../src/daemon/epoch_keys.ts";
import { EpochSchedule } from "../../../src/satp/epoch_schedule.ts";
import { type Hkdf, KeyChain, MAX_AHEAD } from "../../../src/satp/key_chain.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";

const MUX = 3;
const INTERVAL = 60;
const FIRST = 1000;

function setUp() {
  const time = { ms: FIRST * INTERVAL * 1000 + 1000 };
  const derived = { count: 0 };
  // Another key for each epoch, and no work.
  const hkdf: Hkdf = (ikm, _info, length) => {
    derived.count++;
    const bytes = new Uint8Array(length);
    bytes.set(ikm.subarray(0, length));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, view.getUint32(0) + 1);
    return bytes;
  };
  const key = new Uint8Array(32);
  const link = { interval: INTERVAL, epoch: FIRST, key };
  const clock = { now: () => time.ms, elapsed: () => 0 };
  const schedule = new EpochSchedule(link, clock);
  const table = new ConnectionTable(ConnectionTable.allocate());
  const options = { mux: MUX, role: "left", kdPrf: "aes-ctr-128" } as const;
  const chain = new KeyChain(link, hkdf);
  const keys = new EpochKeys(options, table, chain);
  const secrets = keys.begin(FIRST);
  table.put(MUX, { role: "left", secrets, windowSize: 0 }, 0);
  const pass = (epochs: number) => {
    time.ms += epochs * INTERVAL * 1000;
  };
  const look = () => {
    for (const epoch of keys.look() ?? []) schedule.opened(epoch);
    return keys.change(schedule.wanted());
  };
  const hear = (name = table.sealing(MUX) ?? 0) =>
    table.noteOpened(MUX, name, time.ms + derived.count);
  /** Of the keys that were there last. */
  const newest = () =>
    Math.max(...table.held(MUX).sets.map(({ name }) => name));
  return { table, schedule, keys, derived, pass, look, hear, newest };
}

Deno.test("a clock that jumps as far as any is followed, wherever keys begin", () => {
  const { schedule, keys, derived, pass, look, hear } = setUp();
  look();
  // The keys before are there still.
  pass(1);
  look();
  hear();
  look();
  pass(MAX_AHEAD);
  assert.equal(schedule.isLost, false);
  const before = derived.count;
  assert.equal(look(), "sealing");
  assert.equal(keys.sealing, FIRST + 1 + MAX_AHEAD);
  assert.ok(derived.count - before < MAX_AHEAD + 100, "in one go");
  pass(1);
  assert.equal(schedule.isLost, true);
});

Deno.test("it is followed also while a peer is heard ahead", () => {
  const { schedule, keys, pass, look, hear, newest } = setUp();
  pass(1);
  look();
  pass(0.8);
  look();
  hear(newest());
  pass(MAX_AHEAD + 0.2);
  assert.equal(look(), "sealing");
  assert.equal(schedule.confirmed, FIRST + 2);
  assert.equal(keys.sealing, FIRST + 2 + MAX_AHEAD);
});

for (const others of [[3, 4], [4, 3]]) {
  Deno.test(`keys rank as their epochs do, also where ${others} come at once`, () => {
    const { table, keys, look } = setUp();
    look();
    keys.change([
      { epoch: FIRST + 5, role: "seal" },
      ...others.map((k) => ({ epoch: FIRST + k, role: "open" } as const)),
    ]);
    const ranked = table.held(MUX).sets.toSorted((a, b) => a.rank - b.rank)
      .map(({ secrets }) => secrets.key[3]);
    // The keys are one more than what they are derived from.
    assert.deepEqual(ranked, [4, 5, 6]);
  });
}
