import { strict as assert } from "node:assert";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { subjectOf } from "../../../src/sync/extension.ts";
import { Ledger } from "../../../src/sync/ledger.ts";
import type { SyncRecord } from "../../../src/sync/record.ts";
import { ServedRecords } from "../../../src/sync/served_records.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";
import { Slices } from "../../../src/sync/slices.ts";
import { instanceOf, MeshLink, MeshMember } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const FIVE = connectionRecord();
const CHANGED = connectionRecord({ firstKeyByte: 9 });
const ROUTE = routeRecord("10.0.0.0/8", 5);

/** A control daemon that serves these, and what it does to its server. */
function controlOf(
  letter: string,
  clock: { now: number },
  records: SyncRecord[],
  isStale = false,
) {
  const texts = records.map((record) => encodeRecord(record));
  const pushed: string[] = [];
  const time = new ManualClock();
  const asked = { snapshots: 0, times: 0 };
  const ledger = new Ledger({
    instance: instanceOf(letter),
    now: () => clock.now,
    elapsed: () => clock.now,
  });
  const served = new ServedRecords(ledger, {
    snapshot: () => {
      asked.snapshots++;
      return texts;
    },
    isStale: () => isStale,
    push: (record) => pushed.push(record),
    wake: () => pushed.push("wake"),
    // Each piece of work takes 10 ms.
    slices: new Slices({ delay: time.delay, now: () => 10 * asked.times++ }),
  });
  return { asked, feed: served.feed, served, texts, time, pushed };
}

function follow(
  member: MeshMember,
  control: ReturnType<typeof controlOf>,
): MeshLink {
  const link = new MeshLink(member, control);
  link.connect();
  link.carry();
  return link;
}

Deno.test("what a control daemon serves comes, changes and goes at who follows it", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [FIVE, ROUTE]);
  const { served, pushed } = control;
  const link = follow(member, control);
  assert.ok(member.has(FIVE) && member.has(ROUTE));
  served.push(encodeRecord(CHANGED));
  served.remove(encodeRecord(ROUTE));
  link.carry();
  assert.ok(member.has(CHANGED) && !member.has(ROUTE));
  assert.deepEqual(pushed, [encodeRecord(CHANGED), "wake"]);
});

Deno.test("what another record has taken the place of is not removed with it", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [ROUTE]);
  const link = follow(member, control);
  const elsewhere = routeRecord("10.0.0.0/8", 6);
  control.served.push(encodeRecord(elsewhere));
  control.served.remove(encodeRecord(ROUTE));
  link.carry();
  assert.ok(member.has(elsewhere));
});

Deno.test("a network of two connections stays with the other when one is gone", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [FIVE, ROUTE]);
  const { pushed, served, texts } = control;
  const link = follow(member, control);
  const more = ["10.1.0.0/16", "10.0.0.0/9"].map((one) => routeRecord(one, 6));
  for (const record of [routeRecord("10.0.0.0/8", 6), ...more]) {
    texts.push(encodeRecord(record));
    served.push(encodeRecord(record));
  }
  for (let k = 0; k < 2; k++) {
    const [gone = ""] = texts.splice(2, 1);
    served.remove(gone);
    link.carry();
    assert.ok(member.has(ROUTE));
    // Originals, which know of no removal, are told as well.
    assert.equal(pushed.filter((text) => text === texts[1]).length, 1);
  }
  // The last one takes it away.
  texts.splice(1, 1);
  served.remove(encodeRecord(ROUTE));
  link.carry();
  assert.equal(member.holds(subjectOf(ROUTE)), false);
});

Deno.test("a network that two connections had before anybody followed goes with the last of them", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [ROUTE]);
  const { served, texts } = control;
  const elsewhere = routeRecord("10.0.0.0/8", 6);
  texts.push(encodeRecord(elsewhere));
  served.push(encodeRecord(elsewhere));
  const link = follow(member, control);
  for (const record of [elsewhere, ROUTE]) {
    assert.ok(member.has(record));
    served.remove(texts.pop() ?? "");
    link.carry();
  }
  assert.equal(member.holds(subjectOf(ROUTE)), false);
});

Deno.test("a network stays with the other of two connections however that wrote it", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const network = (mux: number) => routeRecord("2001:db8::c000:201/128", mux);
  const control = controlOf("c", clock, [FIVE]);
  const { served, texts } = control;
  const [short, long] = ["2001:db8::c000:201", "2001:DB8::C000:201"];
  texts.push(encodeRecord(network(5)).replace(short, long));
  assert.ok(texts[1]?.includes(long));
  const link = follow(member, control);
  assert.ok(member.has(network(5)));
  texts.push(encodeRecord(network(6)));
  served.push(encodeRecord(network(6)));
  served.remove(texts.pop() ?? "");
  link.carry();
  assert.ok(member.has(network(5)));
});

Deno.test("networks of a file that is written anew and then emptied are taken away without a look at all records", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [FIVE, ROUTE]);
  const { asked, served, texts } = control;
  const link = follow(member, control);
  const [, before = ""] = texts;
  // As by another version of the archive library, or by another client.
  const others = [
    before.replace("archive 18 ", "archive 19 "),
    encodeRecord(routeRecord("10.0.0.0/8", 6)),
  ];
  assert.notEqual(others[0], before);
  let last = before;
  for (const other of others) {
    served.push(other);
    served.remove(last);
    last = other;
  }
  served.remove(last);
  link.carry();
  assert.equal(member.holds(subjectOf(ROUTE)), false);
  assert.equal(asked.snapshots, 1, "when it was followed");
});

Deno.test("what changes before anybody follows is in the first table as it is then", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const control = controlOf("c", clock, [FIVE, ROUTE]);
  control.served.remove(encodeRecord(ROUTE));
  control.texts.pop();
  control.served.push(encodeRecord(CHANGED));
  control.texts[0] = encodeRecord(CHANGED);
  const link = follow(member, control);
  assert.ok(member.has(CHANGED) && !member.has(ROUTE));
  assert.deepEqual(link.words, ["welcome", "gone", "put", "all"]);
});

Deno.test("what is gone before anybody follows is gone at members that have it from the process before", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  follow(member, controlOf("c", clock, [FIVE, ROUTE]));
  // It has ended meanwhile, and this one knows it from the others alone.
  const started = new MeshMember("b", clock);
  const others = new MeshLink(started, member);
  others.connect();
  others.carry();
  clock.now += 1000;
  const control = controlOf("d", clock, [FIVE, ROUTE]);
  control.served.remove(encodeRecord(FIVE));
  control.texts.shift();
  follow(started, control);
  assert.ok(!started.has(FIVE) && started.has(ROUTE));
});

Deno.test("a control daemon that only remembers its records brings nothing back, and changes nothing back", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const six = connectionRecord({ mux: 6 });
  const control = controlOf("c", clock, [CHANGED, ROUTE]);
  const link = follow(member, control);
  control.served.remove(encodeRecord(ROUTE));
  link.carry();
  clock.now += 1000;
  // Another one starts, from its disk alone.
  follow(member, controlOf("d", clock, [FIVE, ROUTE, six], true));
  assert.ok(member.has(CHANGED) && !member.has(ROUTE) && member.has(six));
});

Deno.test("a network that has moved before the store was lost and anybody followed is where it was then, unless it has moved since", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const six = routeRecord("10.0.0.0/8", 6);
  const seven = routeRecord("10.0.0.0/8", 7);
  const other = controlOf("c", clock, [FIVE, ROUTE]);
  const link = follow(member, other);
  clock.now += 1000;
  const control = controlOf("d", clock, [FIVE, six], true);
  control.served.remove(encodeRecord(ROUTE));
  follow(member, control);
  assert.ok(member.has(six));
  clock.now += 1000;
  const again = controlOf("e", clock, [FIVE, six], true);
  again.served.remove(encodeRecord(ROUTE));
  clock.now += 1000;
  other.served.push(encodeRecord(seven));
  link.carry();
  follow(member, again);
  assert.ok(member.has(seven));
});

Deno.test("two control daemons with the same records take a client away together or one after the other", () => {
  const clock = { now: 1_000_000 };
  const member = new MeshMember("a", clock);
  const controls = ["c", "d"].map((name) => controlOf(name, clock, [FIVE]));
  const links = controls.map((control) => follow(member, control));
  clock.now += 1;
  controls[0]?.served.remove(encodeRecord(FIVE));
  for (const link of links) link.carry();
  assert.ok(!member.has(FIVE));
  controls[1]?.served.remove(encodeRecord(FIVE));
  controls[1]?.served.push(encodeRecord(CHANGED));
  for (const link of links) link.carry();
  assert.ok(member.has(CHANGED));
});

/** A control daemon of 600 clients that is stating them, to be waited for. */
async function stating() {
  const clock = { now: 1_000_000 };
  const all = Array.from(
    { length: 600 },
    (_, k) => connectionRecord({ mux: k + 1 }),
  );
  const control = controlOf("c", clock, [ROUTE, ...all]);
  let isReady = false;
  const ready = control.feed.ready?.().then(() => isReady = true);
  await settle();
  assert.deepEqual([control.time.waiting, isReady], [[0], false]);
  const stated = async () => {
    await control.time.pass(0);
    await ready;
    return follow(new MeshMember("a", clock), control);
  };
  return { control, stated };
}

Deno.test("what changes while a large table is stated is as it was told last", async () => {
  const { control, stated } = await stating();
  const changed = connectionRecord({ mux: 600, firstKeyByte: 9 });
  const elsewhere = routeRecord("10.0.0.0/8", 6);
  control.served.push(encodeRecord(changed));
  control.served.push(encodeRecord(elsewhere));
  const link = await stated();
  assert.equal(link.client.records.size, 601);
  assert.ok(link.client.has(changed) && link.client.has(elsewhere));
  assert.equal(control.asked.snapshots, 1);
  // The route of before is known, behind the one that took its place.
  control.served.remove(encodeRecord(elsewhere));
  link.carry();
  assert.ok(link.client.has(ROUTE));
});

Deno.test("what goes while a large table is stated is gone", async () => {
  for (const mux of [1, 600]) {
    const { control, stated } = await stating();
    const gone = connectionRecord({ mux });
    control.served.remove(encodeRecord(gone));
    const { client } = await stated();
    assert.deepEqual([client.records.size, client.has(gone)], [600, false]);
  }
});

Deno.test("a large table is stated with turns for others between, until it is whole", async () => {
  const { control, stated } = await stating();
  // Two may come at the same time.
  const done = control.feed.ready?.().then(() => true);
  let turns = 0;
  while (!await Promise.race([done, settle().then(() => false)])) {
    turns++;
    await control.time.pass(0);
  }
  assert.ok(turns >= 2, `${turns} turns`);
  const { client } = await stated();
  assert.equal(client.records.size, 601);
});
