import { strict as assert } from "node:assert";
import { Roster } from "../../../src/daemon/roster.ts";
import { every } from "../../../src/net/every.ts";
import { readMembersReport } from "../../../src/status/members_report.ts";
import { membersTableLines } from "../../../src/status/members_table.ts";
import {
  MEMBER,
  parseServing,
  SERVING,
} from "../../../src/sync/view_message.ts";

const BEGIN = 1_700_000_000_000;

/** A member of a cluster of two, and an original. */
class Member {
  now = BEGIN;
  readonly heard = new Map<number, number>();
  readonly said: [kind: string, body: string][] = [];
  state: "fit" | "draining" = "fit";
  readonly instance: string;
  readonly roster: Roster;

  constructor(name: string, instance = name) {
    this.instance = instance;
    this.roster = new Roster({
      name,
      version: "1.2.3",
      table: {
        isLive: (mux) => mux < 100,
        liveMuxes: () => Array.from({ length: 100 }, (_, mux) => mux),
        lastHeard: (mux) => this.heard.get(mux),
      },
      endpointOf: (mux) => mux === 5 ? "192.0.2.5:4444" : undefined,
      health: () => ({ state: this.state, since: -60_000 }),
      inStep: () => true,
      servers: () => [
        { server: "b:2323", isConnected: true, isExtended: true },
        { server: "o:2323", isConnected: true, isExtended: false },
        { server: "c:2323", isConnected: false, isExtended: false },
      ],
      floorsOf: () => 0,
      say: (kind, body) => this.said.push([kind, body]),
    }, {
      elapsed: () => this.now - BEGIN,
      now: () => this.now,
      steadyNow: () => this.now,
      every,
    });
  }

  hear(mux: number): void {
    this.heard.set(mux, this.now);
  }

  look(seconds: number): void {
    this.now += seconds * 1000;
    this.roster.look();
  }
}

/** Each hears what the other says, as one that it follows at `b:2323`. */
function exchange(...[a, b]: readonly [Member, Member]): void {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    for (const [kind, body] of from.said.splice(0)) {
      const speaker = { name: "b:2323", instance: from.instance };
      if (kind === MEMBER) to.roster.saidFacts(speaker, body);
      else to.roster.saidServing(speaker, body);
    }
  }
}

function served(member: Member): string[] {
  return member.roster.snapshot().clients.map((client) =>
    `${client.mux} ${client.member ?? "self"}`
  );
}

Deno.test("a member knows of all others how they are, and which client whom", () => {
  const [a, b] = [new Member("left"), new Member("right")];
  a.hear(5);
  b.hear(7);
  for (const member of [a, b]) member.look(1);
  exchange(a, b);
  const report = readMembersReport(JSON.stringify(a.roster.snapshot()));
  assert.deepEqual(membersTableLines(report), [
    "left: 4 members, 2 clients heard",
    "MEMBER       NAME   HEALTH                  IN STEP  CLIENTS  LAST CHANGE    VERSION",
    "this daemon  left   fit                     yes      1        1 min 1 s ago  1.2.3",
    "b:2323       right  fit                     yes      1        1 min 1 s ago  1.2.3",
    "o:2323       -      original, says nothing  -        -        -              -",
    "c:2323       -      not connected           -        -        -              -",
    "",
    "MUX  ENDPOINT        SERVED BY    FOR",
    "5    192.0.2.5:4444  this daemon  0 s",
    "7    -               b:2323       0 s",
  ]);
  assert.deepEqual(
    report.members.map(({ kind }) => kind),
    ["self", "member", "original", "unknown"],
  );
  const clients = report.clients.slice(1);
  assert.equal(
    membersTableLines({ ...report, clients })[0],
    "left: 4 members, 1 client heard",
  );
});

Deno.test("only what changes is told, and all to who has come", () => {
  const a = new Member("left");
  a.hear(5);
  a.look(1);
  a.said.splice(0);
  a.hear(5);
  a.look(2);
  assert.equal(a.said.length, 0);
  a.state = "draining";
  a.hear(6);
  a.look(2);
  assert.deepEqual(a.said.map(([kind]) => kind), [MEMBER, SERVING]);
  const [, [, body = ""] = []] = a.said.splice(0);
  const since = (BEGIN + 5000) / 1000;
  assert.deepEqual(
    parseServing(body),
    { isWhole: false, clients: [{ mux: 6, since }] },
  );
  a.roster.joined();
  a.look(2);
  const [[, facts = ""] = [], [, all = ""] = []] = a.said.splice(0);
  assert.match(facts, /"health":"draining"/);
  assert.deepEqual(parseServing(all), {
    isWhole: true,
    clients: [{ mux: 5, since: since - 4 }, { mux: 6, since }],
  });
  a.look(300);
  assert.equal(parseServing(a.said[1]?.[1] ?? "").isWhole, true);
});

Deno.test("a client is served by whoever has begun to hear it last", () => {
  const [a, b] = [new Member("left"), new Member("right")];
  const pass = (seconds: number, hearing?: Member) => {
    for (let k = 0; k < seconds; k += 2) {
      for (const member of [a, b]) {
        member.now += 2000;
        if (member === hearing) member.hear(5);
        member.roster.look();
      }
      exchange(a, b);
    }
  };
  pass(20, a);
  assert.deepEqual(served(a), ["5 self"]);
  assert.deepEqual(served(b), ["5 b:2323"]);
  pass(20, b);
  assert.deepEqual(served(a), ["5 b:2323"]);
  assert.deepEqual(served(b), ["5 self"]);
  pass(10, a);
  assert.deepEqual(served(a), ["5 self"], "it has come back");
  assert.deepEqual(served(b), ["5 b:2323"]);
  pass(80);
  assert.deepEqual([...served(a), ...served(b)], [], "nobody hears it");
});

Deno.test("what was lost on the way is made good by the next whole list", () => {
  const [a, b] = [new Member("left"), new Member("right")];
  b.hear(7);
  b.look(1);
  exchange(a, b);
  b.look(100);
  b.said.splice(0);
  exchange(a, b);
  assert.deepEqual(served(a), ["7 b:2323"], "it did not hear that it is over");
  b.look(300);
  exchange(a, b);
  assert.deepEqual(served(a), []);
});

Deno.test("what a member said before it started anew does not count", () => {
  const [a, b] = [new Member("left"), new Member("right", "1")];
  b.hear(7);
  b.look(1);
  exchange(a, b);
  assert.deepEqual(served(a), ["7 b:2323"]);
  const again = new Member("right", "2");
  again.look(1);
  exchange(a, again);
  assert.deepEqual(served(a), []);
});

Deno.test("what a member says of itself reaches no terminal as it is", () => {
  const [a, b] = [new Member("left"), new Member("r\x1b[2J\u202e\n")];
  b.look(1);
  exchange(a, b);
  const report = a.roster.snapshot();
  assert.equal(report.members[1]?.name, "r\x1b[2J\u202e\n");
  assert.match(membersTableLines(report).join(""), /^[ -~]*$/);
});
