import { strict as assert } from "node:assert";
import { OTHERS_LOG_LIMIT } from "../../../src/daemon/run_program.ts";
import { SyncLedger } from "../../../src/daemon/sync_ledger.ts";
import { SyncState } from "../../../src/daemon/sync_state.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { MAX_PREFIXES, RouteTable } from "../../../src/route/table.ts";
import { RecordApplier } from "../../../src/sync/apply.ts";
import {
  formatMessage,
  type ServerMessage,
  type Stamp,
  subjectOf,
} from "../../../src/sync/extension.ts";
import { Following } from "../../../src/sync/following.ts";
import { Ledger } from "../../../src/sync/ledger.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { putEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { instanceOf } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const FIVE = connectionRecord();
const NONE = new Uint8Array();
const ROUTE = routeRecord("10.0.0.0/8", 5);
const NOW = 1_000_000;

function stamp(version: number): Stamp {
  return { version: NOW + version, origin: instanceOf("c") };
}

function setUp(ownMux?: number) {
  const clock = new ManualClock();
  const { delay, now: elapsed } = clock;
  const table = new ConnectionTable(ConnectionTable.allocate());
  const logger = recordingLog();
  const limited = new RateLimitedLog(logger, OTHERS_LOG_LIMIT, elapsed);
  const counts = { drops: 0, wakes: 0 };
  const state = new SyncState({
    ...{ table, delay, elapsed, limited },
    routeTable: new RouteTable(RouteTable.allocate()),
    interfaceIndex: () => undefined,
    prepare() {},
    leaving: new LeavingKeys({
      ...{ table, delay },
      dropRetired: () => void counts.drops++,
    }),
  });
  const ledger = new Ledger({
    instance: instanceOf("a"),
    now: () => NOW + clock.now(),
    elapsed,
  });
  const sync = new SyncLedger({
    ...{ ledger, state, ownMux, limited },
    applier: new RecordApplier(state, "aes-ctr-128", limited),
    wake: () => void counts.wakes++,
    said() {},
    settled() {},
  });
  /** What a member that has just started is sent. */
  const table1 = () => {
    const from = instanceOf("f");
    const hello = { from, known: undefined, revision: 0 };
    const cursor = sync.feed.enter();
    cursor.begin(hello);
    const text = cursor.take(1 << 16);
    cursor.close();
    return text;
  };
  return { clock, table, state, ledger, sync, logger, counts, told: table1 };
}

Deno.test("what is learnt takes effect, and what is removed is out of use at once", () => {
  const { sync, table, state, counts, logger, told } = setUp();
  sync.put(FIVE, stamp(1));
  sync.put(ROUTE, stamp(1));
  assert.ok(table.exists(5));
  assert.match(told(), / put 1 \d+ c{16} 22 .* put 2 \d+ c{16} 22 .* all 2$/);
  const { retirements } = table;
  sync.remove(subjectOf(ROUTE), stamp(2));
  sync.remove(subjectOf(FIVE), stamp(2));
  assert.ok(!table.exists(5));
  assert.ok(table.retirements > retirements, "the threads wipe its keys");
  assert.deepEqual(state.snapshot(), []);
  assert.deepEqual(counts, { drops: 1, wakes: 2 });
  assert.ok(logger.lines.includes("NOTICE: sync: connection 5 was removed"));
  sync.put(FIVE, stamp(1));
  assert.ok(!table.exists(5), "another member repeats what it has");
  sync.put(FIVE, stamp(3));
  assert.ok(table.exists(5));
});

Deno.test("keys that are leaving go with their connection", async () => {
  const { sync, table, clock } = setUp();
  sync.put(FIVE, stamp(1));
  sync.put(connectionRecord({ firstKeyByte: 9 }), stamp(2));
  assert.equal(table.held(5).sets.length, 2);
  sync.remove(subjectOf(FIVE), stamp(3));
  sync.put(connectionRecord({ firstKeyByte: 7 }), stamp(4));
  assert.equal(table.held(5).sets.length, 1);
  await clock.pass(10);
  await clock.pass(10_000);
  assert.equal(table.held(5).sets.length, 1, "these stay");
});

Deno.test("what options of a member state nobody takes away", () => {
  const { sync, state, table, ledger, told } = setUp(5);
  const { endpoint, ...own } = FIVE;
  state.putRoute(ROUTE);
  sync.claimRoute(ROUTE);
  assert.match(told(), / some 1$/, "its own connection is not there yet");
  table.put(5, own, 0);
  assert.match(
    told(),
    / some 1$/,
    "it states more once it knows where its peer is",
  );
  putEndpoint(table, 5, endpoint);
  assert.match(told(), / put 2 \d+ a{16} 22 .* all 2$/);
  const later = stamp(1000);
  sync.remove(subjectOf(FIVE), later);
  sync.remove(subjectOf(ROUTE), later);
  assert.ok(table.exists(5));
  assert.equal(state.routes().length, 1);
  for (const record of [FIVE, ROUTE]) {
    const entry = ledger.get(subjectOf(record));
    assert.equal(entry?.stamp?.origin, instanceOf("a"));
    assert.ok((entry?.stamp?.version ?? 0) > later.version);
  }
  sync.withdrawRoute(ROUTE);
  assert.match(told(), / gone \d+ \d+ a{16} route 4 10\.0\.0\.0 8/);
});

Deno.test("keys of a control daemon take the place of own ones, and the own connection stays when they go", () => {
  const { sync, table } = setUp(5);
  const { endpoint: _, ...own } = FIVE;
  table.put(5, own, 0);
  sync.moved(5);
  sync.put(connectionRecord({ firstKeyByte: 9 }), stamp(1000));
  assert.equal(table.keys(5).secrets.key[0], 9);
  sync.remove(subjectOf(FIVE), stamp(1001));
  assert.ok(table.exists(5));
});

Deno.test("an original with another window moves the endpoint all the same", () => {
  const { sync, state } = setUp();
  sync.put(FIVE, stamp(1));
  const host = "198.51.100.9";
  sync.put(connectionRecord({ windowSize: 0, host }), undefined);
  assert.match(state.connection(5) ?? "", /198\.51\.100\.9/);
});

Deno.test("a record whose keys were stated anew moves no endpoint", () => {
  const { sync, state } = setUp();
  sync.put(connectionRecord({ firstKeyByte: 9 }), stamp(2));
  const before = state.connection(5);
  sync.put(connectionRecord({ host: "198.51.100.9" }), stamp(1));
  sync.put(connectionRecord({ host: "198.51.100.9" }), undefined);
  assert.equal(state.connection(5), before);
  const moved = connectionRecord({ firstKeyByte: 9, host: "198.51.100.9" });
  sync.put(moved, undefined);
  assert.match(state.connection(5) ?? "", /198\.51\.100\.9/);
});

Deno.test("what there is no room for, or no use, is not in the ledger, and told to nobody", () => {
  const { sync, ledger, logger } = setUp();
  const own = instanceOf("a");
  const following = new Following("server", own, sync);
  const take = (message: ServerMessage) =>
    following.take(new TextEncoder().encode(formatMessage(message).slice(6)));
  take({ word: "welcome", instance: instanceOf("c"), since: 0, version: NOW });
  const route = (k: number) => ({
    command: "route" as const,
    network: { family: "ethernet" as const, value: BigInt(k) },
    ...{ prefixLength: 64, mux: 5 },
  });
  for (let k = 0; k < MAX_PREFIXES; k++) sync.put(route(k), stamp(1));
  const { revision } = ledger;
  take({ word: "put", revision: 1, stamp: stamp(1), record: route(-1 >>> 0) });
  take({
    ...{ word: "put", revision: 2, stamp: stamp(1) },
    record: { ...FIVE, secrets: { key: NONE, salt: NONE } },
  });
  assert.equal(ledger.revision, revision);
  assert.equal(ledger.get(subjectOf(FIVE)), undefined);
  assert.match(logger.lines.join("\n"), /no room for another route to mux 5/);
  sync.put({ ...route(0), mux: 6 }, stamp(2));
  assert.equal(ledger.get(subjectOf(route(0)))?.statement, "6", "it is there");
});

Deno.test("clocks that do not agree are told of in the log", () => {
  const { sync, logger } = setUp();
  sync.put(FIVE, stamp(300_000));
  assert.deepEqual(logger.lines, []);
  sync.put(FIVE, stamp(300_001));
  assert.match(logger.lines[0] ?? "", /^WARNING: .*five minutes ahead/);
});
