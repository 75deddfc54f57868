import { strict as assert } from "node:assert";
import { goesRound } from "../../../src/daemon/heartbeat.ts";
import { StatusReport } from "../../../src/daemon/status_report.ts";
import { parseEndpoint } from "../../../src/net/endpoint.ts";
import type { ConnectionReport } from "../../../src/status/report.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  count,
  PLANE_COUNTERS,
} from "../../../src/tunnel/counters.ts";
import { putEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { ManualClock, settle } from "../../fakes/manual_clock.ts";

const SECRETS = { key: new Uint8Array(16), salt: new Uint8Array(14) };
const KEYS = { role: "left", secrets: SECRETS, windowSize: 64 } as const;
const START = 1_796_040_000_000;

function rig() {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const clock = new ManualClock();
  /** By how much the clock of the host was set. */
  const host = { step: 0 };
  const world = {
    delay: clock.delay,
    elapsed: clock.now,
    now: () => START + clock.now() + host.step,
    pid: 5,
  };
  const report = new StatusReport({
    options: { mux: 3, name: "office" },
    table,
    interfaceName: (index) => index === 5 ? "eth0" : undefined,
    ends: () => ({ device: null, plane: null, listening: [] }),
    answers: () => Promise.resolve(true),
    fitness: () => ({ state: "unfit", reasons: ["tun0 is down"], since: 2000 }),
    announcement: () => undefined,
    planeCounters: () => new Float64Array(PLANE_COUNTERS),
    peer: () => "vpn.example.com",
    routes: () => [
      {
        network: { family: 4, bytes: Uint8Array.of(10, 0, 0, 0) },
        prefixLength: 8,
        mux: 3,
      },
      { network: { family: "ethernet", value: 7n }, prefixLength: 48, mux: 3 },
    ],
    cluster: () => undefined,
    keyEpoch: () => 9,
  }, world);
  return { table, clock, host, report };
}

Deno.test("a report has what is known of each connection, and of the own one more", async () => {
  const { table, report } = rig();
  for (const mux of [3, 7]) table.put(mux, KEYS, 0);
  count(table.counters.of(3), ConnectionCounter.BYTES_IN, 500);
  const connections = [...(await report.report(Infinity)).connections];
  assert.deepEqual(
    connections.map(({ counters: _, ...one }) => one),
    [
      {
        ...{ mux: 3, peer: "vpn.example.com", endpoint: null },
        ...{
          lastHeard: null,
          keyEpoch: 9,
          routes: ["10.0.0.0/8"],
          pathMtu: null,
        },
      },
      {
        ...{ mux: 7, peer: null, endpoint: null },
        ...{ lastHeard: null, keyEpoch: null, routes: [], pathMtu: null },
      },
    ],
  );
  assert.equal(connections[0]?.counters["bytes_in_total"], 500);
});

function muxesOf(connections: Iterable<ConnectionReport>): number[] {
  return Array.from(connections, ({ mux }) => mux);
}

Deno.test("a report of many connections leaves the thread to others in between", async () => {
  const { table, clock, report } = rig();
  const muxes = Array.from({ length: 25_000 }, (_, mux) => mux);
  for (const mux of muxes) {
    table.put(mux, KEYS, 0);
    count(table.counters.of(mux), ConnectionCounter.PACKETS_IN, mux);
  }
  const { connections, connectionCount, totals } = await report.report(
    Infinity,
  );
  // What comes and goes meanwhile does not matter.
  table.remove(24_999);
  assert.deepEqual(muxesOf(connections), muxes);
  assert.equal(connectionCount, 25_000);
  const sums = totals();
  for (let turn = 0; turn < 2; turn++) {
    await settle();
    assert.deepEqual(clock.waiting, [0], "it waits for its turn");
    await clock.pass(0);
  }
  assert.equal((await sums)["packets_in_total"], 24_999 * 25_000 / 2);
});

Deno.test("each connection of a report is looked at when it is told, for all who ask", async () => {
  const { table, report } = rig();
  for (const mux of [3, 7]) table.put(mux, KEYS, 0);
  const { connections } = await report.report(Infinity);
  const packets = () =>
    Array.from(connections, ({ counters }) => counters["packets_in_total"]);
  assert.deepEqual(packets(), [0, 0]);
  count(table.counters.of(7), ConnectionCounter.PACKETS_IN, 5);
  assert.deepEqual(packets(), [0, 5]);
});

Deno.test("a report names the interface of a link-local peer", async () => {
  const { table, report } = rig();
  table.put(3, KEYS, 0);
  const endpoint = parseEndpoint("[fe80::1%5]:4444");
  putEndpoint(table, 3, endpoint);
  const { connections: [own] } = await report.report(Infinity);
  assert.equal(own?.endpoint, "[fe80::1%eth0]:4444");
});

Deno.test("connections that are not told one by one, and those that are gone, are in the sums", async () => {
  const { table, report } = rig();
  for (const mux of [3, 7, 9]) {
    table.put(mux, KEYS, 0);
    count(table.counters.of(mux), ConnectionCounter.PACKETS_IN, mux);
  }
  const few = await report.report(1);
  assert.deepEqual(muxesOf(few.connections), [3]);
  assert.equal(few.connectionCount, 3);
  assert.equal((await few.totals())["packets_in_total"], 19);
  table.remove(9);
  const later = await report.report(1);
  assert.equal(later.connectionCount, 2);
  assert.equal(
    (await later.totals())["packets_in_total"],
    19,
    "sums never go back",
  );
});

Deno.test("the sums of a report are of when its connections have been told", async () => {
  const { table, report } = rig();
  for (const mux of [3, 7]) table.put(mux, KEYS, 0);
  const { connections, totals } = await report.report(Infinity);
  const told = [];
  for (const { counters } of connections) {
    told.push(counters["packets_in_total"] ?? 0);
    count(table.counters.of(7), ConnectionCounter.PACKETS_IN, 5);
  }
  assert.deepEqual(told, [0, 5]);
  assert.equal((await totals())["packets_in_total"], 10);
});

Deno.test("a clock of the host that is set moves neither how long ago a peer was heard nor the uptime", async () => {
  const { table, clock, host, report } = rig();
  table.put(3, KEYS, 0);
  await clock.pass(5000);
  table.noteHeard(3, START + clock.now());
  await clock.pass(2000);
  const agesOf = async () => {
    const { time, started, connections } = await report.report(1);
    const [first] = connections;
    return [time - (first?.lastHeard ?? 0), time - started];
  };
  assert.deepEqual(await agesOf(), [2000, 7000]);
  host.step = 3_600_000;
  assert.deepEqual(await agesOf(), [2000, 7000]);
  host.step = -3_600_000;
  assert.deepEqual(await agesOf(), [2000, 7000]);
});

Deno.test("a report says since when the daemon is as fit as it is, by the clock of the host", async () => {
  const { clock, host, report } = rig();
  await clock.pass(5000);
  host.step = 3_600_000;
  assert.deepEqual(report.fitness(), {
    state: "unfit",
    reasons: ["tun0 is down"],
    since: START + 3_600_000 + 2000,
  });
});

Deno.test("a clock that is only adjusted does not move the start", async () => {
  const { clock, host, report } = rig();
  const startedAt = async () => (await report.report(1)).started;
  assert.equal(await startedAt(), START);
  host.step = 1500;
  await clock.pass(1000);
  assert.equal(await startedAt(), START);
});

Deno.test("the state of a report is that of the daemon", async () => {
  const { report } = rig();
  const stateOf = async () => (await report.health()).state;
  assert.equal(await stateOf(), "starting");
  report.changed({ kind: "ready" });
  assert.equal(await stateOf(), "running");
  report.changed({ kind: "reloading" });
  assert.equal(await stateOf(), "reloading");
  report.changed({ kind: "draining" });
  assert.equal(await stateOf(), "draining");
});

Deno.test("threads answer if each of them goes round when it is woken", async () => {
  const clock = new ManualClock();
  const rounds = [7, 7];
  let hangs = false;
  const ask = () =>
    goesRound(
      () => [...rounds],
      () => {
        rounds[0] = (rounds[0] ?? 0) + 1;
        if (!hangs) rounds[1] = (rounds[1] ?? 0) + 1;
      },
      clock.delay,
    );
  const well = ask();
  await clock.pass(20);
  assert.equal(await well, true);
  hangs = true;
  const ill = ask();
  for (let waited = 0; waited < 3000; waited += 20) await clock.pass(20);
  assert.equal(await ill, false);
  assert.equal(await goesRound(() => [], () => {}, clock.delay), true);
});
