import { strict as assert } from "node:assert";
import { OTHERS_LOG_LIMIT } from "../../../src/daemon/run_program.ts";
import { SyncLedger } from "../../../src/daemon/sync_ledger.ts";
import { SyncRights } from "../../../src/daemon/sync_rights.ts";
import { SyncState } from "../../../src/daemon/sync_state.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { RouteTable } from "../../../src/route/table.ts";
import { RecordApplier } from "../../../src/sync/apply.ts";
import {
  formatMessage,
  type ServerMessage,
  type Stamp,
  subjectOf,
} from "../../../src/sync/extension.ts";
import { Following } from "../../../src/sync/following.ts";
import { Ledger } from "../../../src/sync/ledger.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { endpointOf } from "../../../src/tunnel/endpoint_words.ts";
import { LeavingKeys } from "../../../src/tunnel/leaving_keys.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { instanceOf } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const NOW = 1_000_000;
const CONTROL = instanceOf("c");
const MEMBER = instanceOf("f");
/** As a control daemon states it, which knows no endpoint. */
const FIVE = connectionRecord({ host: "0.0.0.0", port: 0 });
const OTHER_KEYS = connectionRecord({
  ...{ host: "0.0.0.0", port: 0, firstKeyByte: 9 },
});
const ROUTE = routeRecord("10.0.0.0/8", 5);

interface Setting {
  readonly ownMux?: number;
  readonly chainMux?: number;
}

/** A member that follows a control daemon, and another member that only learns. */
function setUp({ ownMux, chainMux }: Setting = {}) {
  const clock = new ManualClock();
  const { delay, now: elapsed } = clock;
  const table = new ConnectionTable(ConnectionTable.allocate());
  const logger = recordingLog();
  const limited = new RateLimitedLog(logger, OTHERS_LOG_LIMIT, elapsed);
  const heard: string[] = [];
  const state = new SyncState({
    ...{ table, delay, elapsed, limited, chainMux },
    routeTable: new RouteTable(RouteTable.allocate()),
    interfaceIndex: () => undefined,
    prepare() {},
    leaving: new LeavingKeys({ table, delay, dropRetired() {} }),
  });
  const ledger = new Ledger({
    instance: instanceOf("a"),
    now: () => NOW + clock.now(),
    elapsed,
  });
  const common = {
    ...{ ledger, state, limited },
    applier: new RecordApplier(state, "aes-ctr-128", limited),
    said: ({ name }: { name: string }, kind: string, body: string) =>
      void heard.push(`${name} ${kind} ${body}`),
  };
  const informed = { is: true };
  const rights = new SyncRights({ ...common, isInformed: () => informed.is });
  const sync = new SyncLedger({
    ...{ ...common, ownMux },
    wake() {},
    settled: (mux, statement) => rights.settled(mux, statement),
  });
  const own = instanceOf("a");
  const control = new Following("control", own, sync);
  const member = new Following("member", own, rights.learnerOf("member"));
  take(control, welcome(CONTROL));
  take(member, welcome(MEMBER));
  const peer = (mux = 5) => {
    const endpoint = endpointOf(table, mux);
    return endpoint && formatEndpoint(endpoint);
  };
  return {
    ...{ table, state, ledger, logger, heard, informed, rights },
    ...{ sync, control, member, peer },
  };
}

function take(following: Following, ...messages: ServerMessage[]): void {
  for (const message of messages) {
    const text = formatMessage(message).slice(6);
    following.take(new TextEncoder().encode(text));
  }
}

function welcome(instance: string, version = NOW): ServerMessage {
  return { word: "welcome", instance, since: 0, version };
}

function stamp(version: number, origin = CONTROL): Stamp {
  return { version: NOW + version, origin };
}

function put(
  record: SyncRecord,
  of: Stamp | undefined,
  revision = 1,
): ServerMessage {
  return { word: "put", revision, stamp: of, record };
}

function gone(record: SyncRecord, of: Stamp): ServerMessage {
  const subject = subjectOf(record);
  return { word: "gone", revision: 1, stamp: of, subject };
}

function first(member: ReturnType<typeof setUp>): readonly unknown[] {
  const { ledger, rights, state } = member;
  return [ledger.revision, state.snapshot(), rights.passedOver];
}

Deno.test("of a member that only learns no connection, key, route or removal counts", () => {
  const rig = setUp();
  const { control, member, ledger, state, logger } = rig;
  take(control, put(FIVE, stamp(1)), put(ROUTE, stamp(1)));
  const [before, records] = first(rig);
  const later = stamp(2, MEMBER);
  take(
    member,
    put(connectionRecord({ mux: 6 }), later),
    put(OTHER_KEYS, later),
    put(connectionRecord({ role: "right" }), later),
    put(routeRecord("10.0.0.0/8", 6), later),
    put(routeRecord("10.1.0.0/16", 5), undefined),
    gone(FIVE, later),
    gone(ROUTE, later),
    { word: "all", revision: 99 },
  );
  assert.deepEqual(first(rig), [before, records, 7]);
  assert.deepEqual(ledger.get(FIVE)?.stamp?.origin, CONTROL);
  assert.equal(state.routes().length, 1);
  const lines = logger.lines.filter((line) => /WARNING/.test(line));
  assert.equal(
    lines[0],
    "WARNING: sync: member states connection 6, and no control host does: " +
      "passed over, as members only learn (--member-rights)",
  );
  assert.ok(lines.length < 7, "at a limited rate");
});

Deno.test("where a client is and how far numbers have come a member may tell, and no window", () => {
  const { control, member, peer, rights, table, heard, ledger } = setUp();
  take(control, put(FIVE, stamp(1)));
  const { revision } = ledger;
  const told = connectionRecord({ seq: 7, windowSize: 3 });
  for (const stated of [stamp(2, MEMBER), stamp(0), undefined]) {
    take(member, put(told, stated));
  }
  assert.equal(peer(), "192.0.2.7:4444");
  assert.equal(table.nextSeq(5), 7);
  assert.equal(table.keys(5).windowSize, 100);
  take(member, { word: "say", kind: "floors", body: "x" });
  assert.deepEqual(heard, ["member floors x"]);
  assert.equal(rights.passedOver, 0);
  assert.equal(ledger.revision, revision);
});

Deno.test("what a control daemon states takes effect, whoever was heard first", () => {
  const statements = [
    put(FIVE, stamp(1)),
    put(ROUTE, stamp(1)),
    put(OTHER_KEYS, stamp(2)),
    gone(ROUTE, stamp(3)),
    gone(FIVE, stamp(4)),
    put(FIVE, stamp(5)),
    put(ROUTE, stamp(5)),
  ];
  for (const order of ["control first", "member first"]) {
    const { control, member, state, table, ledger } = setUp();
    const expected = [FIVE, ROUTE, OTHER_KEYS, ROUTE, FIVE, FIVE, ROUTE];
    statements.forEach((statement, k) => {
      const both = order === "control first"
        ? [control, member]
        : [member, control];
      for (const following of both) take(following, statement);
      const record = expected[k];
      assert.ok(record !== undefined);
      const entry = ledger.get(record);
      const isPut = statement.word === "put";
      assert.equal(entry !== undefined, isPut, `${order}, ${k}`);
      if (isPut) {
        assert.deepEqual(entry?.stamp?.version, statement.stamp?.version);
      }
      if (isPut && record.command === "connection") {
        assert.deepEqual(
          table.keys(5).secrets,
          record.secrets,
          `${order}, ${k}`,
        );
      }
      const hasRoute = k < 3 || k > 5;
      assert.equal(state.routes().length, k > 0 && hasRoute ? 1 : 0);
    });
  }
});

Deno.test("a member that lies with stamps shuts no control daemon out", () => {
  const { control, member, ledger, table } = setUp();
  take(control, put(FIVE, stamp(1)));
  const version = ledger.nextVersion();
  for (const origin of [CONTROL, MEMBER, instanceOf("a")]) {
    for (const ahead of [299_000, 1e12]) {
      const future = stamp(ahead, origin);
      take(member, put(OTHER_KEYS, future), gone(FIVE, future));
      take(member, put(FIVE, future), put(ROUTE, future), gone(ROUTE, future));
    }
  }
  assert.equal(ledger.nextVersion(), version + 1);
  take(control, put(OTHER_KEYS, stamp(2)), put(ROUTE, stamp(2)));
  assert.equal(table.keys(5).secrets.key[0], 9);
  assert.equal(ledger.get(ROUTE)?.statement, "5");
  take(control, gone(OTHER_KEYS, stamp(3)));
  assert.ok(!table.exists(5));
});

Deno.test("a member that plays the control daemon takes the place of nothing", () => {
  const { control, member, ledger, table } = setUp();
  const all: ServerMessage = { word: "all", revision: 99 };
  take(control, put(FIVE, stamp(100)), all);
  member.lost();
  take(member, welcome(CONTROL, NOW + 200_000), all);
  member.lost();
  take(member, welcome(MEMBER, 2), all);
  assert.ok(table.exists(5));
  assert.equal(ledger.get(FIVE)?.stamp?.version, NOW + 100);
  // Another process has taken its place, after its clock was set back.
  const next = instanceOf("d");
  control.lost();
  take(control, welcome(next, NOW + 50), put(OTHER_KEYS, stamp(51, next)));
  assert.equal(table.keys(5).secrets.key[0], 9);
  member.lost();
  take(member, welcome(CONTROL, NOW + 200_000));
  take(control, put(FIVE, stamp(100)));
  assert.equal(table.keys(5).secrets.key[0], 9, "of a process that has ended");
});

Deno.test("what was told of a client counts as soon as its keys are known, and is not asked for again", () => {
  const { control, member, peer, table } = setUp();
  take(member, put(connectionRecord({ seq: 7 }), stamp(1), 12));
  take(member, { word: "all", revision: 12 });
  assert.equal(peer(), undefined);
  assert.match(member.hello(), new RegExp(` ${MEMBER} 12$`));
  take(control, put(FIVE, stamp(1)));
  assert.equal(peer(), "192.0.2.7:4444");
  assert.equal(table.nextSeq(5), 7);
  const host = "198.51.100.9";
  take(member, put(connectionRecord({ host, firstKeyByte: 9 }), stamp(2)));
  assert.equal(peer(), "192.0.2.7:4444", "of keys that are not known here");
  take(control, put(OTHER_KEYS, stamp(2)));
  assert.equal(peer(), "198.51.100.9:4444");
  assert.equal(table.keys(5).secrets.key[0], 9);
  take(control, put(FIVE, stamp(3)));
  assert.equal(peer(), "198.51.100.9:4444", "it was told once");
});

Deno.test("of what members tell of a client that nobody knows yet the last counts, and what is gone does not", () => {
  const { control, rights, peer } = setUp();
  const [one, other, liar] = ["one", "other", "liar"]
    .map((name) => rights.learnerOf(name));
  assert.ok(one !== undefined && other !== undefined && liar !== undefined);
  one.put(connectionRecord({ host: "192.0.2.1" }), undefined);
  other.put(connectionRecord({ host: "192.0.2.2" }), undefined);
  liar.put(connectionRecord({ host: "192.0.2.3", firstKeyByte: 8 }), undefined);
  take(control, put(FIVE, stamp(1)));
  assert.equal(peer(), "192.0.2.2:4444");
  const six = connectionRecord({ mux: 6 });
  one.put(six, undefined);
  one.remove(six, stamp(1));
  take(control, put({ ...FIVE, mux: 6 }, stamp(1)));
  assert.equal(peer(6), undefined);
});

Deno.test("before the control daemons were heard nobody is said to state what they do not", () => {
  const { control, member, rights, informed, logger } = setUp();
  informed.is = false;
  const table = [put(FIVE, stamp(1)), put(ROUTE, stamp(1))];
  take(member, ...table);
  assert.equal(rights.passedOver, 0);
  take(control, ...table);
  informed.is = true;
  take(member, ...table, gone(connectionRecord({ mux: 7 }), stamp(1)));
  assert.equal(rights.passedOver, 0, "it is so");
  assert.deepEqual(logger.lines, []);
});

Deno.test("of a key chain a member in another epoch tells the place, and no number", () => {
  const { member, peer, rights, table } = setUp({ ownMux: 5, chainMux: 5 });
  const { endpoint: _, ...own } = FIVE;
  table.put(5, own, 3);
  take(
    member,
    put(connectionRecord({ firstKeyByte: 9, seq: 1000 }), undefined),
  );
  assert.equal(peer(), "192.0.2.7:4444");
  assert.equal(table.nextSeq(5), 3);
  assert.deepEqual(table.keys(5).secrets, own.secrets);
  assert.equal(rights.passedOver, 0);
});

Deno.test("what is told of a key chain's connection before there is one makes none, and counts once there is", () => {
  const { control, member, peer, sync, table } = setUp({
    ...{ ownMux: 5, chainMux: 5 },
  });
  take(member, put(connectionRecord({ seq: 7 }), undefined));
  take(control, put(FIVE, stamp(1)));
  assert.ok(!table.exists(5), "it would seal with empty keys");
  assert.equal(peer(), undefined);
  const { endpoint: _, ...own } = OTHER_KEYS;
  table.put(5, own, 3);
  sync.moved(5);
  take(control, put(FIVE, stamp(2)));
  assert.equal(peer(), "192.0.2.7:4444");
  assert.equal(table.nextSeq(5), 3, "the number is of another epoch");
  assert.deepEqual(table.keys(5).secrets, own.secrets);
});

Deno.test("the own connection stays one of the own options, whoever tells where its peer is", () => {
  const { member, peer, state, sync, table, ledger } = setUp({ ownMux: 5 });
  take(member, put(connectionRecord({ host: "192.0.2.8" }), stamp(1)));
  const { endpoint: _, ...own } = FIVE;
  table.put(5, own, 0);
  sync.moved(5);
  assert.equal(peer(), "192.0.2.8:4444", "it was told before");
  take(member, put(connectionRecord(), stamp(1)));
  assert.equal(peer(), "192.0.2.7:4444");
  assert.ok(state.isOwn(5));
  assert.equal(ledger.get(FIVE)?.stamp?.origin, instanceOf("a"));
});

Deno.test("a number that is too far ahead is refused of a member as of everybody", () => {
  const { control, member, table, peer, logger } = setUp();
  take(control, put(FIVE, stamp(1)));
  take(member, put(connectionRecord({ seq: 2 ** 31 + 1 }), undefined));
  assert.equal(table.nextSeq(5), 0);
  assert.equal(peer(), "192.0.2.7:4444");
  assert.match(logger.lines.at(-1) ?? "", /refusing the sequence number/);
});

Deno.test("a member that only learns can have a sender id used up, by two statements", () => {
  const { control, member, table, logger } = setUp();
  take(control, put(FIVE, stamp(1)));
  for (const seq of [2 ** 31, 2 ** 32 - 1]) {
    take(member, put(connectionRecord({ seq }), undefined));
    assert.equal(table.nextSeq(5), seq);
  }
  table.reserve(5, table.keys(5).epoch, 1);
  assert.ok(table.isSpent(5, 2 ** 32));
  assert.deepEqual(logger.lines, []);
});
