import { strict as assert } from "node:assert";
import { askMembers } from "../../../src/status/client.ts";
import { membersDumpLines } from "../../../src/status/dump.ts";
import { ReportError } from "../../../src/status/fields.ts";
import { readMembersReport } from "../../../src/status/members_report.ts";
import { membersTableLines } from "../../../src/status/members_table.ts";
import { StatusSite } from "../../../src/status/site.ts";
import { FakeClient } from "../../fakes/status_streams.ts";
import { bodyText, sampleMembers } from "../../samples/report.ts";

Deno.test("a report on all members comes back from its JSON as it was", () => {
  const report = sampleMembers();
  assert.deepEqual(readMembersReport(JSON.stringify(report)), report);
});

Deno.test("what is no report on members is refused as a whole, and named by its place", () => {
  const [self] = sampleMembers().members;
  const bad: readonly [object, string][] = [
    [{ format: 2 }, "its format is 2, and this program reads 1"],
    [{ members: {} }, "members is no list"],
    [
      { members: [{ ...self, kind: "friend" }] },
      "members[0].kind is none of self, member, silent, original, unknown",
    ],
    [
      { members: [{ ...self, inStep: 1 }] },
      "members[0].inStep is neither true nor false",
    ],
    [{ clients: [{ mux: -1 }] }, "clients[0].mux is no number from 0 on"],
  ];
  for (const [change, what] of bad) {
    const text = JSON.stringify({ ...sampleMembers(), ...change });
    assert.throws(
      () => readMembersReport(text),
      (error) => error instanceof ReportError && error.message.endsWith(what),
      what,
    );
  }
});

Deno.test("members are told of only where somebody may ask for all", async () => {
  const source = {
    report: () => assert.fail("nobody asks"),
    health: () => assert.fail("nobody asks"),
    fitness: () => assert.fail("nobody asks"),
  };
  const connections = () => 5;
  const members = () => sampleMembers();
  const pause = () => assert.fail("it is short");
  const request = { method: "GET", path: "/cluster.json", host: "localhost" };
  const answer = (site: StatusSite) =>
    site.answer({ ...request, method: "GET" });
  const open = new StatusSite({ source, connections, members, pause });
  const response = await answer(open);
  assert.equal(response.status, 200);
  assert.deepEqual(
    readMembersReport(await bodyText(response)),
    sampleMembers(),
  );
  const shut = new StatusSite({ source, connections, pause });
  await assert.rejects(() => answer(shut), { status: 404 });
});

Deno.test("who asks for members gets them, or why not", async () => {
  const client = new FakeClient();
  const never = () => new Promise<void>(() => {});
  const body = JSON.stringify(sampleMembers());
  client.say(`HTTP/1.1 200 OK\r\n\r\n${body}`);
  client.end();
  assert.deepEqual(await askMembers(client, never), sampleMembers());
  assert.match(client.heard, /^GET \/cluster\.json HTTP\/1\.1\r\n/);
  const older = new FakeClient();
  older.say("HTTP/1.1 404 Not Found\r\n\r\nthere are others\n");
  older.end();
  await assert.rejects(() => askMembers(older, never), ReportError);
});

Deno.test("a daemon outside of a cluster says so", () => {
  const report = sampleMembers({ members: [], clients: [] });
  assert.deepEqual(membersTableLines(report), ["vpn: in no cluster"]);
  assert.deepEqual(membersDumpLines(report), []);
});

Deno.test("scripts get a line for each member, and one for each client", () => {
  assert.deepEqual(membersDumpLines(sampleMembers()), [
    "member\tvpn\t-\tself\tyes\tvpn\t1.2.3\tfit\tyes\t1700000000\t1\t0",
    "member\tvpn\t192.0.2.2:2323\tmember\tyes\tedge\t1.2.3\tunfit\tno\t1700000000\t0\t9",
    "member\tvpn\t192.0.2.3:2323\toriginal\tyes\t-\t-\t-\t-\t0\t0\t0",
    "client\tvpn\t5\t192.0.2.5:4444\t-\t1700000010",
  ]);
});
