import { strict as assert } from "node:assert";
import { REMEMBERED_MS } from "../../../src/sync/ledger.ts";
import { mesh, MeshLink, MeshMember } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const FIVE = connectionRecord();
const SIX = connectionRecord({ mux: 6 });
const ROUTE = routeRecord("10.0.0.0/8", 5);

function setUp() {
  const clock = { now: 1_000_000 };
  const control = new MeshMember("c", clock);
  const member = new MeshMember("a", clock);
  const link = new MeshLink(member, control);
  return { clock, control, member, link };
}

/** As if the process were another one. */
function restarted(clock: { now: number }, ...records: (typeof FIVE)[]) {
  const control = new MeshMember("d", clock);
  for (const record of records) control.state(record);
  return control;
}

Deno.test("a client hears a whole table, that this was all, and then what changes", () => {
  const { control, member, link } = setUp();
  control.state(FIVE);
  control.state(ROUTE);
  link.connect();
  assert.equal(link.following.hasAll, false);
  link.carry();
  assert.deepEqual(link.words, ["welcome", "put", "put", "all"]);
  assert.ok(link.following.hasAll && member.has(FIVE) && member.has(ROUTE));
  control.withdraw(FIVE);
  control.state(SIX);
  link.carry();
  assert.deepEqual(link.words.slice(4), ["gone", "put"]);
  assert.ok(!member.has(FIVE) && member.has(SIX));
});

Deno.test("a client that comes back hears what has changed since, and nothing else", () => {
  const { control, member, link } = setUp();
  for (let mux = 0; mux < 1000; mux++) control.state({ ...FIVE, mux });
  link.connect();
  link.carry();
  link.cut();
  assert.equal(link.following.hasAll, false);
  control.withdraw({ ...FIVE, mux: 7 });
  control.state(connectionRecord({ mux: 8, firstKeyByte: 9 }));
  const { bytes } = link;
  link.connect();
  link.carry();
  assert.deepEqual(link.words.slice(-4), ["welcome", "gone", "put", "all"]);
  assert.ok(link.bytes - bytes < 600, `${link.bytes - bytes} bytes`);
  assert.equal(member.records.size, 999);
  assert.ok(member.has(connectionRecord({ mux: 8, firstKeyByte: 9 })));
});

Deno.test("a client that missed removals which are forgotten takes back what the whole table lacks", () => {
  const { clock, control, member, link } = setUp();
  control.state(FIVE);
  control.state(SIX);
  link.connect();
  link.carry();
  link.cut();
  control.withdraw(FIVE);
  clock.now += REMEMBERED_MS + 1;
  link.connect();
  link.carry(1);
  link.cut();
  link.connect();
  link.carry();
  assert.deepEqual(link.words.slice(-3), ["welcome", "put", "all"]);
  assert.ok(!member.has(FIVE) && member.has(SIX));
});

Deno.test("a server that starts again takes back what it states no more, and nothing of others", () => {
  const { clock, control, member, link } = setUp();
  const other = new MeshMember("e", clock);
  const third = connectionRecord({ mux: 7 });
  other.state(third);
  for (const record of [FIVE, SIX]) control.state(record);
  member.put(connectionRecord({ mux: 8 }), undefined);
  const links = [link, new MeshLink(member, other)];
  for (const one of links) one.connect();
  for (const one of links) one.carry();
  link.cut();
  clock.now += 1000;
  link.server = restarted(clock, SIX);
  link.connect();
  link.carry();
  assert.ok(!member.has(FIVE), "it is not in the table any more");
  assert.ok(member.has(SIX) && member.has(third));
  assert.ok(member.has(connectionRecord({ mux: 8 })), "of an original");
});

Deno.test("a server that starts again with its clock set back is followed all the same", () => {
  const { clock, control, member, link } = setUp();
  for (const record of [FIVE, SIX]) control.state(record);
  link.connect();
  link.carry();
  link.cut();
  const away = new MeshMember("b", clock);
  for (const record of [FIVE, SIX]) {
    const entry = member.ledger.get(record);
    away.put(record, entry?.stamp);
  }
  clock.now -= 600_000;
  const changed = connectionRecord({ mux: 6, firstKeyByte: 9 });
  link.server = restarted(clock, changed);
  link.connect();
  link.carry();
  assert.ok(member.has(changed) && !member.has(FIVE));
  // Another member has not heard of it, and has what was stated before.
  const late = new MeshLink(member, away);
  late.connect();
  late.carry();
  assert.ok(member.has(changed) && !member.has(FIVE));
});

Deno.test("of two control daemons under one name both are heard, however often it leads from one to the other", () => {
  const { clock, control, member, link } = setUp();
  const other = new MeshMember("d", clock);
  const heard = new MeshLink(member, control);
  for (const one of [control, other]) one.state(FIVE);
  heard.connect();
  for (const server of [control, other, control, other]) {
    clock.now += 1000;
    link.server = server;
    link.connect();
    link.carry();
    link.cut();
  }
  for (const firstKeyByte of [7, 8, 9]) {
    clock.now += 1000;
    const changed = connectionRecord({ firstKeyByte });
    control.state(changed);
    heard.carry();
    assert.ok(member.has(changed), `key ${firstKeyByte}`);
  }
  control.withdraw(FIVE);
  heard.carry();
  assert.equal(member.records.size, 0, "a revoked client is served no more");
});

Deno.test("a server that does not know all it will state takes nothing back", () => {
  const { clock, control, member, link } = setUp();
  control.state(FIVE);
  link.connect();
  link.carry();
  link.cut();
  const server = restarted(clock);
  server.isComplete = false;
  link.server = server;
  link.connect();
  link.carry();
  assert.equal(link.words.at(-1), "some");
  assert.ok(member.has(FIVE) && link.following.hasAll);
});

Deno.test("a table that breaks off takes nothing back, and is begun anew", () => {
  const { clock, control, member, link } = setUp();
  control.state(FIVE);
  link.connect();
  link.carry();
  link.cut();
  clock.now += 1000;
  link.server = restarted(clock, SIX, connectionRecord({ mux: 7 }));
  link.connect();
  link.carry(1);
  link.carry(1);
  assert.deepEqual(link.words.slice(-2), ["welcome", "put"]);
  link.cut();
  assert.ok(member.has(FIVE) && member.has(SIX));
  link.connect();
  link.carry();
  assert.deepEqual(link.words.slice(-4), ["welcome", "put", "put", "all"]);
  assert.ok(!member.has(FIVE) && member.has(SIX));
});

Deno.test("what one learns from another is not repeated to who is up to date, but to who comes back", () => {
  const { clock, control, member, link } = setUp();
  const third = new MeshMember("b", clock);
  const back = new MeshLink(third, member);
  link.connect();
  back.connect();
  link.carry();
  back.carry();
  control.state(FIVE);
  link.carry();
  back.carry();
  assert.ok(member.has(FIVE) && !third.has(FIVE));
  back.progress();
  back.cut();
  control.state(SIX);
  link.carry();
  back.connect();
  back.carry();
  assert.ok(third.has(SIX) && !third.has(FIVE), "it was told up to there");
  back.cut();
  const fresh = new MeshLink(new MeshMember("f", clock), member);
  fresh.connect();
  fresh.carry();
  assert.ok(fresh.client.has(FIVE) && fresh.client.has(SIX));
});

Deno.test("what one learns after a client has come is not repeated to it, whenever it says hello, and what was there is told", () => {
  const { clock, control, member, link } = setUp();
  const back = new MeshLink(new MeshMember("b", clock), member);
  control.state(FIVE);
  link.connect();
  link.carry();
  back.enter();
  back.carry();
  assert.deepEqual(back.words, []);
  control.state(SIX);
  link.carry();
  member.state(ROUTE);
  back.connect();
  back.carry();
  assert.deepEqual(back.words, ["welcome", "put", "put", "all"]);
  assert.ok(back.client.has(FIVE) && back.client.has(ROUTE));
  assert.ok(!back.client.has(SIX));
});

Deno.test("a client that is behind hears no more than one that is not, and nothing less", () => {
  const { clock, control, member, link } = setUp();
  const back = new MeshLink(new MeshMember("b", clock), member);
  control.state(FIVE);
  for (const one of [link, back]) {
    one.connect();
    one.carry();
  }
  member.ledger.touch(FIVE);
  control.state(ROUTE);
  link.carry();
  back.carry();
  assert.deepEqual(back.words.slice(3), ["put"], "the route is not repeated");
  // It was to hear that the peer has moved: it does, with what came after that.
  member.ledger.touch(FIVE);
  const changed = connectionRecord({ host: "198.51.100.9", firstKeyByte: 9 });
  control.state(changed);
  link.carry();
  back.carry();
  assert.ok(back.client.has(changed));
});

Deno.test("of a table that is being told nothing is left out that changes meanwhile", () => {
  const { clock, control, member, link } = setUp();
  for (const record of [FIVE, SIX]) control.state(record);
  link.connect();
  link.carry();
  const back = new MeshLink(new MeshMember("b", clock), member);
  back.connect();
  back.carry(1);
  const changed = connectionRecord({ mux: 6, firstKeyByte: 9 });
  control.state(changed);
  control.state(ROUTE);
  link.carry();
  back.carry();
  assert.ok(back.client.has(FIVE) && back.client.has(changed));
});

Deno.test("who asks for all hears what was passed over, and takes nothing back by it", () => {
  const { clock, control, member, link } = setUp();
  const cutOff = new MeshMember("b", clock);
  const back = new MeshLink(cutOff, member);
  for (const one of [link, back]) one.connect();
  for (const one of [link, back]) one.carry();
  for (const record of [FIVE, ROUTE]) control.state(record);
  link.carry();
  member.state(SIX);
  back.carry();
  assert.ok(cutOff.has(SIX) && !cutOff.has(FIVE));
  back.progress();
  back.cut();
  back.following.forget();
  back.connect();
  back.carry();
  for (const record of [FIVE, SIX, ROUTE]) assert.ok(cutOff.has(record));
});

Deno.test("a moved peer is told of by the member that has heard it, and the statement is whose it was", () => {
  const { clock, control, member, link } = setUp();
  const third = new MeshMember("b", clock);
  const back = new MeshLink(third, member);
  control.state(FIVE);
  for (const one of [link, back]) one.connect();
  for (const one of [link, back]) one.carry();
  const moved = connectionRecord({ host: "198.51.100.9" });
  member.records.set("connection 5", moved);
  member.ledger.touch(FIVE);
  back.carry();
  assert.ok(third.has(moved));
  assert.equal(third.ledger.get(FIVE)?.stamp?.origin, control.ledger.instance);
});

Deno.test("in a mesh a removal goes all round once, also where the one that says it is not heard", () => {
  const { clock, control } = setUp();
  const members = ["a", "b", "e"].map((name) => new MeshMember(name, clock));
  const { links, settle } = mesh(members);
  const heard = members.map((member) => new MeshLink(member, control));
  for (const link of heard) link.connect();
  control.state(FIVE);
  control.state(ROUTE);
  for (const link of heard) link.carry();
  settle();
  const bytes = links.reduce((sum, link) => sum + link.bytes, 0);
  // Only the first one hears of it from the control daemon.
  for (const link of heard.slice(1)) link.cut();
  control.withdraw(FIVE);
  heard[0]?.carry();
  settle();
  for (const member of members) {
    assert.ok(!member.has(FIVE) && member.has(ROUTE));
  }
  const more = links.reduce((sum, link) => sum + link.bytes, 0) - bytes;
  assert.ok(more > 0 && more < 6 * 80, `${more} bytes`);
});

Deno.test("a member that was away does not bring back what was removed", () => {
  const { clock, control } = setUp();
  const members = ["a", "b", "e"].map((name) => new MeshMember(name, clock));
  const { links, settle } = mesh(members);
  const heard = members.map((member) => new MeshLink(member, control));
  for (const link of heard) link.connect();
  control.state(FIVE);
  for (const link of heard) link.carry();
  settle();
  const [away] = members;
  const far = links.filter(({ client, server }) =>
    client === away || server === away
  );
  for (const link of [...far, ...heard.slice(0, 1)]) link.cut();
  control.withdraw(FIVE);
  for (const link of heard) link.carry();
  settle();
  assert.ok(away?.has(FIVE));
  for (const link of far) link.connect();
  settle();
  for (const member of members) assert.ok(!member.has(FIVE));
  assert.ok(away && !away.has(FIVE), "it has learnt of it from the others");
});

Deno.test("a member that has just started hears of removals, and believes nobody who was away", () => {
  const { clock, control, member, link } = setUp();
  control.state(FIVE);
  const away = new MeshMember("b", clock);
  const before = new MeshLink(away, control);
  for (const one of [link, before]) one.connect();
  for (const one of [link, before]) one.carry();
  before.cut();
  control.withdraw(FIVE);
  link.carry();
  const fresh = new MeshMember("f", clock);
  const links = [new MeshLink(fresh, away), new MeshLink(fresh, member)];
  for (const one of links) one.connect();
  for (const one of links) one.carry();
  assert.ok(!fresh.has(FIVE));
});
