import { strict as assert } from "node:assert";
import { Admission } from "../../../src/net/admission.ts";
import { KnownMembers } from "../../../src/sync/known_members.ts";
import { originOf } from "../../../src/net/origin.ts";
import { ipAddress } from "../../samples/routes.ts";

function from(address: string) {
  return originOf({ remote: { address: ipAddress(address), port: 9 } });
}

/** Places for names such as `a1`, whose source is the letter's. */
function placesFor(
  places: number,
  { evicts = "oldest", members = "", turnMs = Infinity }: {
    evicts?: "oldest" | "newest";
    members?: string;
    turnMs?: number;
  } = {},
) {
  let now = 0;
  const admission = new Admission<string>({
    places,
    isMember: (source) => members.includes(source),
    evicts,
    turn: { ms: turnMs, now: () => now },
  });
  const origin = (name: string) => ({
    source: name.slice(0, 1),
    // Capital letters have one network between them.
    network: /^[A-Z]/.test(name) ? "capitals" : name.slice(0, 1),
  });
  const enter = (name: string) => admission.enter(name, origin(name));
  const enterAll = (...names: string[]) => {
    for (const name of names) {
      assert.deepEqual(enter(name), { isAdmitted: true });
    }
  };
  const pass = (ms: number) => now += ms;
  return { admission, origin, enter, enterAll, pass };
}

Deno.test("whoever asks gets a free place, also one that was left", () => {
  const { admission, enter, enterAll } = placesFor(2);
  enterAll("a1", "b1");
  assert.deepEqual(enter("c1"), { isAdmitted: false });
  admission.leave("a1");
  admission.leave("nobody");
  assert.equal(admission.size, 1);
  enterAll("c1");
  assert.deepEqual([...admission], ["b1", "c1"]);
});

Deno.test("a flood of one source takes places from itself", () => {
  const { enter, enterAll, admission } = placesFor(4, { turnMs: 0 });
  enterAll("m1", "x1", "x2", "x3");
  for (let k = 4; k < 100; k++) {
    assert.deepEqual(enter(`x${k}`), {
      isAdmitted: true,
      evicted: `x${k - 3}`,
    });
  }
  assert.ok([...admission].includes("m1"));
});

for (const [evicts, out] of [["oldest", "x1"], ["newest", "x3"]] as const) {
  Deno.test(`the ${evicts} of the busiest source gives way to another source, until that is as busy`, () => {
    const { enter, enterAll } = placesFor(4, { evicts });
    enterAll("x1", "a1", "x2", "x3");
    assert.deepEqual(enter("b1"), { isAdmitted: true, evicted: out });
    // x has two now: one of b's would be the third that it has not.
    assert.deepEqual(enter("b2"), { isAdmitted: false });
    assert.deepEqual(enter("x9"), { isAdmitted: false });
  });
}

Deno.test("among sources as busy as each other the place that is kept longest goes, after its turn", () => {
  const { enter, enterAll, pass } = placesFor(2, { turnMs: 1000 });
  enterAll("a1");
  pass(10);
  enterAll("b1");
  pass(989);
  assert.deepEqual(enter("c1"), { isAdmitted: false });
  pass(1);
  assert.deepEqual(enter("c1"), { isAdmitted: true, evicted: "a1" });
  assert.deepEqual(enter("d1"), { isAdmitted: false });
  pass(10);
  assert.deepEqual(enter("d1"), { isAdmitted: true, evicted: "b1" });
});

Deno.test("many sources of one network count as one busy network", () => {
  const { enter, enterAll } = placesFor(5);
  enterAll("a1", "a2", "A1", "B1", "C1");
  // The network goes before the source: a has two places, A only one.
  assert.deepEqual(enter("b1"), { isAdmitted: true, evicted: "A1" });
  assert.deepEqual(enter("D1"), { isAdmitted: false });
});

Deno.test("within one network the busiest source gives way, although others are as busy", () => {
  const { enter, enterAll } = placesFor(6);
  enterAll("b1", "b2", "b3", "A1", "A2", "A3");
  assert.deepEqual(enter("B1"), { isAdmitted: true, evicted: "A1" });
  assert.deepEqual(enter("B2"), { isAdmitted: false });
});

Deno.test("members and others cannot take places from each other", () => {
  const { admission, origin, enter, enterAll } = placesFor(2, {
    members: "mn",
    turnMs: 0,
  });
  enterAll("x1", "x2", "m1", "m2");
  assert.deepEqual(enter("y1"), { isAdmitted: true, evicted: "x1" });
  assert.deepEqual(enter("n1"), { isAdmitted: true, evicted: "m1" });
  assert.equal(admission.size, 4);
  assert.deepEqual([...admission].toSorted(), ["m2", "n1", "x2", "y1"]);
  admission.leave("m2");
  admission.leave("n1");
  assert.equal(admission.isCrowded(origin("m3")), false);
  assert.equal(admission.isCrowded(origin("y3")), true);
});

Deno.test("the least busy member and the least busy other are to ask first", () => {
  const { admission, origin, enterAll } = placesFor(9, { members: "mn" });
  enterAll("x1", "m1");
  const asking = ["x2", "y1", "z1", "m2", "n1"].map((name) => ({
    name,
    ...origin(name),
  }));
  assert.deepEqual(admission.first(asking).map(({ name }) => name), [
    "y1",
    "n1",
  ]);
  assert.deepEqual(admission.first([]), []);
});

Deno.test("a source is an address, 64 bits of an IPv6 address, or a user", () => {
  const remote = { address: ipAddress("192.0.2.9"), port: 9 };
  assert.deepEqual(originOf({ remote }), {
    source: "192.0.2.9",
    network: "192.0.2.0/24",
  });
  assert.deepEqual(from("2001:db8:1:2:3:4:5:6"), {
    source: "2001:db8:1:2::/64",
    network: "2001:db8:1::/48",
  });
  // All hosts of a link have these 64 bits.
  assert.deepEqual(from("fe80::7%eth0"), {
    source: "fe80::7%eth0",
    network: "fe80::%eth0/64",
  });
  const user = { source: "uid:7", network: "uid:7" };
  assert.deepEqual(originOf({ remote, uid: 7 }), user);
  assert.deepEqual(originOf({ remote: { path: "any" }, uid: 7 }), user);
  assert.equal(originOf({ remote: { path: "any" } }).source, "uid:unknown");
});

Deno.test("members are known by the newest addresses of hosts that were named", () => {
  const members = new KnownMembers();
  members.name("one", [ipAddress("192.0.2.1"), ipAddress("2001:db8::1")]);
  members.name("two", [ipAddress("192.0.2.2")]);
  members.name("one", [ipAddress("2001:db8::1")]);
  const known = ["192.0.2.1", "192.0.2.2", "2001:db8::99", "2001:db8:0:1::1"]
    .filter((address) => members.has(from(address).source));
  assert.deepEqual(known, ["192.0.2.2", "2001:db8::99"]);
});

Deno.test("of the sources with a certificate the last 256 are remembered", () => {
  const members = new KnownMembers();
  members.verified("first");
  members.verified("second");
  for (let k = 0; k < 254; k++) members.verified(`${k}`);
  members.verified("first");
  members.verified("last");
  const known = ["first", "second", "0", "last"].filter((one) =>
    members.has(one)
  );
  assert.deepEqual(known, ["first", "0", "last"]);
});
