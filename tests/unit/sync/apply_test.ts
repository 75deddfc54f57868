import { strict as assert } from "node:assert";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { RecordApplier } from "../../../src/sync/apply.ts";
import { encodeRecord } from "../../../src/sync/encode.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { formatEndpoint } from "../../../src/net/endpoint.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";
import { SyncMember } from "../../fakes/sync_member.ts";

const MUX = 5;

function tell(member: SyncMember, ...records: readonly SyncRecord[]): void {
  const text = records.map((record) => encodeRecord(record)).join("");
  assert.equal(member.read(new TextEncoder().encode(text)), undefined);
}

function endpointOf(member: SyncMember): string | undefined {
  const endpoint = member.endpoints.get(MUX);
  return endpoint && formatEndpoint(endpoint);
}

Deno.test("a record that comes again does not take the sequence number back", () => {
  const member = new SyncMember();
  tell(member, connectionRecord({ seq: 10 }));
  const { epoch } = member.table.keys(MUX);
  assert.equal(member.table.reserve(MUX, epoch, 90), 10);
  tell(member, connectionRecord({ seq: 10 }), connectionRecord({ seq: 0 }));
  assert.equal(member.table.nextSeq(MUX), 100);
  tell(member, connectionRecord({ seq: 5000 }));
  assert.equal(member.table.nextSeq(MUX), 5000);
  assert.equal(member.table.keys(MUX).epoch, epoch);
});

Deno.test("a record with another key begins at its number, with a new replay state", () => {
  const member = new SyncMember();
  tell(member, connectionRecord({ seq: 5000 }));
  const { epoch } = member.table.keys(MUX);
  tell(member, connectionRecord({ seq: 3, firstKeyByte: 77 }));
  assert.equal(member.table.nextSeq(MUX), 3);
  assert.notEqual(member.table.keys(MUX).epoch, epoch);
});

Deno.test("keys that come back go on above the numbers that they had", () => {
  const member = new SyncMember();
  const first = connectionRecord();
  const second = connectionRecord({ firstKeyByte: 77 });
  tell(member, first);
  member.table.reserve(MUX, member.table.keys(MUX).epoch, 100);
  tell(member, second, first);
  assert.equal(member.table.nextSeq(MUX), 100);
});

Deno.test("a number more than 2^31 ahead is refused, and that is said", () => {
  const member = new SyncMember();
  const far = { host: "192.0.2.9", seq: 2 ** 32 - 1 };
  tell(member, connectionRecord(far));
  assert.equal(member.table.nextSeq(MUX), 0);
  tell(member, connectionRecord({ seq: 2 ** 31 }));
  assert.equal(member.table.nextSeq(MUX), 2 ** 31);
  tell(member, connectionRecord({ seq: 0 }));
  tell(member, connectionRecord({ ...far, firstKeyByte: 77 }));
  assert.equal(member.table.nextSeq(MUX), 0, "of new keys");
  assert.equal(endpointOf(member), "192.0.2.9:4444");
  const refusal =
    "ERROR: sync: refusing the sequence number of connection 5: 4294967295 " +
    "is more than 2^31 ahead of ours, which stays; give each member sender " +
    "ids of its own (--sender-id)";
  assert.deepEqual(member.log.lines, [refusal, refusal]);
});

Deno.test("a record without endpoint leaves the one that is known", () => {
  const member = new SyncMember();
  tell(member, connectionRecord());
  tell(member, connectionRecord({ host: "0.0.0.0" }));
  tell(member, connectionRecord({ host: "::", port: 9 }));
  tell(member, connectionRecord({ host: "192.0.2.9", port: 0 }));
  assert.equal(endpointOf(member), "192.0.2.7:4444");
  tell(member, connectionRecord({ host: "2001:db8::9", port: 9 }));
  assert.equal(endpointOf(member), "[2001:db8::9]:9");
});

Deno.test("a daemon with key derivation null refuses keys, and says so", () => {
  const member = new SyncMember("null");
  tell(member, connectionRecord());
  assert.equal(member.table.exists(MUX), false);
  assert.deepEqual(member.log.lines, [
    "ERROR: sync: refusing connection 5: it has keys, but key derivation here is null",
  ]);
});

Deno.test("of ten clients that are refused each has its line", () => {
  const member = new SyncMember();
  const limit = { burst: 1, perSecond: 0 };
  const log = new RateLimitedLog(member.log, limit, () => 0);
  const applier = new RecordApplier(member, "null", log);
  for (let mux = 0; mux < 10; mux++) {
    for (let k = 0; k < 3; k++) applier.accepts(connectionRecord({ mux }));
  }
  assert.equal(member.log.lines.length, 10);
});

Deno.test("a daemon that derives keys refuses a connection without, and says so", () => {
  const none = { key: new Uint8Array(0), salt: new Uint8Array(0) };
  const record = { ...connectionRecord(), secrets: none };
  const member = new SyncMember("aes-ctr-256");
  tell(member, record);
  assert.equal(member.table.exists(MUX), false);
  assert.deepEqual(member.log.lines, [
    "ERROR: sync: refusing connection 5: it has no keys, but key derivation here is not null",
  ]);
  const open = new SyncMember("null");
  tell(open, record);
  assert.equal(open.table.exists(MUX), true);
});

Deno.test("the size of a record's key wins over the own key derivation", () => {
  const member = new SyncMember("aes-ctr-256");
  tell(member, connectionRecord());
  assert.equal(member.table.keys(MUX).secrets.key.length, 16);
});

Deno.test("a window beyond what a daemon holds is cut, and that is said", () => {
  const member = new SyncMember();
  tell(member, connectionRecord({ windowSize: (1 << 20) + 1 }));
  assert.equal(member.table.keys(MUX).windowSize, 1 << 20);
  assert.deepEqual(member.log.lines, [
    "WARNING: sync: window of connection 5 is 1048577: using 1048576",
  ]);
});

Deno.test("nothing of a bad record takes effect, all of those before it does", () => {
  const member = new SyncMember();
  const good = encodeRecord(connectionRecord());
  const bad = encodeRecord(connectionRecord({ mux: 6 }))
    .replace(/4444$/, "4444x").replace(
      /^\d+/,
      (n) => String(Number(n) + 1).padStart(5, "0"),
    );
  const fault = member.read(new TextEncoder().encode(good + bad + good));
  assert.equal(fault, "input stream error");
  assert.equal(member.table.exists(MUX), true);
  assert.equal(member.table.exists(6), false);
});

Deno.test("routes are added, and replaced by those with the same prefix", () => {
  const member = new SyncMember();
  tell(
    member,
    routeRecord("10.0.0.0/8", 1),
    routeRecord("fd00::/8", 2),
    routeRecord("10.0.0.0/8", 3),
  );
  const muxes = member.routes.list().map(({ mux }) => mux);
  assert.deepEqual(muxes, [3, 2]);
});
