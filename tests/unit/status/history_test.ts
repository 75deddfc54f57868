import { strict as assert } from "node:assert";
import { History, silence } from "../../../src/status/page/history.js";
import { connectionReport, NOON, sampleReport } from "../../samples/report.ts";

const LOSSES = {
  connection: [{ name: "wrong_tag_total", text: "with a wrong tag" }],
  plane: [{ name: "unknown_mux_total", text: "of an unknown mux" }],
};

function reportAt(seconds: number, bytes: number, pid = 77) {
  const counters = { bytes_out_total: bytes, wrong_tag_total: seconds * 2 };
  return sampleReport({
    pid,
    time: NOON + seconds * 1000,
    connections: [
      connectionReport({ counters, routes: ["10.0.0.0/8"] }),
      connectionReport({ mux: 2, lastHeard: null }),
    ],
    totals: counters,
    counters: { unknown_mux_total: seconds },
  });
}

Deno.test("the page knows the rates between two reports, of each connection and of all", () => {
  const history = new History(LOSSES);
  history.add(reportAt(0, 1000));
  assert.deepEqual(history.of("all"), []);
  history.add(reportAt(2, 5000));
  const [all] = history.of("all");
  assert.equal(all?.out, 2000);
  assert.equal(all?.silence, 5);
  assert.equal(all?.routes, 1);
  assert.deepEqual([...all?.causes ?? []], [
    ["with a wrong tag", 2],
    ["of an unknown mux", 1],
  ]);
  const [one] = history.of("1");
  assert.deepEqual([...one?.causes ?? []], [["with a wrong tag", 2]]);
  assert.equal(history.of("2")[0]?.silence, undefined);
});

Deno.test("the page begins anew with a new process, and keeps no more than five minutes", () => {
  const history = new History(LOSSES);
  for (let k = 0; k < 400; k++) history.add(reportAt(k, k));
  assert.equal(history.of("all").length, 150);
  history.add(reportAt(400, 0, 78));
  assert.deepEqual(history.of("all"), []);
  history.add(reportAt(401, 9, 78));
  assert.equal(history.of("all")[0]?.out, 9);
  // The same report once more says nothing new.
  history.add(reportAt(401, 9, 78));
  assert.equal(history.of("all").length, 1);
});

Deno.test("what a report costs the page grows with its connections, not with their square", () => {
  const COUNT = 500;
  let looks = 0;
  const reportOf = (seconds: number) =>
    sampleReport({
      time: NOON + seconds * 1000,
      connections: Array.from({ length: COUNT }, (_, mux) => ({
        ...connectionReport(),
        get mux() {
          looks++;
          return mux;
        },
      })),
    });
  const history = new History(LOSSES);
  for (let k = 0; k < 3; k++) history.add(reportOf(k));
  for (let mux = 0; mux < COUNT; mux++) {
    history.lossesOf(history.last, String(mux));
  }
  assert.equal(history.of(String(COUNT - 1)).length, 2);
  assert.ok(looks < 20 * COUNT, `${looks} looks at ${COUNT} connections`);
});

Deno.test("the silence of a peer that was never heard is unknown", () => {
  const { time, connections: [connection] } = sampleReport();
  assert.equal(connection && silence(connection, time), 3);
  assert.equal(silence(connectionReport({ lastHeard: null }), time), undefined);
});

Deno.test("rates of the page are of the last moment, and none is below nothing", () => {
  const history = new History(LOSSES);
  for (const [seconds, bytes] of [[0, 9000], [2, 10_000], [4, 500]] as const) {
    history.add(reportAt(seconds, bytes));
  }
  const last = history.of("all").at(-1);
  assert.equal(last?.out, 0);
  assert.deepEqual([...last?.causes ?? []], [
    ["with a wrong tag", 2],
    ["of an unknown mux", 1],
  ]);
});

Deno.test("a report that comes late says nothing of the time since", () => {
  const history = new History(LOSSES);
  for (const seconds of [0, 2, 1, 4]) {
    history.add(reportAt(seconds, seconds ** 2 * 100));
  }
  const track: readonly { readonly out: number }[] = history.of("all");
  assert.deepEqual(track.map(({ out }) => out), [200, 600]);
  assert.equal(history.last?.time, NOON + 4000);
});

Deno.test("of several peers the longest silence counts, and those that are gone are forgotten", () => {
  const history = new History(LOSSES);
  const reportOf = (seconds: number, ...heard: number[]) =>
    sampleReport({
      time: NOON + seconds * 1000,
      connections: heard.map((ago, mux) =>
        connectionReport({ mux, lastHeard: NOON + (seconds - ago) * 1000 })
      ),
    });
  history.add(reportOf(0, 5, 60, 7));
  history.add(reportOf(2, 5, 60, 7));
  assert.equal(history.of("all").at(-1)?.silence, 60);
  assert.equal(history.of("2").length, 1);
  history.add(reportOf(4, 5, 60));
  assert.equal(history.of("2").length, 0);
  assert.equal(history.of("1").length, 2);
});
