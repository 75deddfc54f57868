import assert from "node:assert/strict";
import { PeerEvents } from "../../../src/daemon/peer_events.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { ConnectionCounter, count } from "../../../src/tunnel/counters.ts";
import { putEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const PEERS = 1000;

function tableOf(peers: number): ConnectionTable {
  const table = new ConnectionTable(ConnectionTable.allocate());
  for (let mux = 0; mux < peers; mux++) {
    const secrets = { key: new Uint8Array(16), salt: new Uint8Array(14) };
    table.put(mux, { role: "left", secrets, windowSize: 0 }, 0);
  }
  return table;
}

/** Events whose hosts say at once that nobody listens. */
function telling(peers: number) {
  const table = tableOf(peers);
  const { every, now, pass } = manualClock();
  const logger = recordingLog();
  const events = new PeerEvents({ silentAfter: 10 }, {
    ...{ table, interfaceName: () => undefined, logger },
    isPortClosed: () => Promise.resolve(true),
  }, { elapsed: now, every, steadyNow: now });
  return { table, events, logger, pass };
}

function manualClock() {
  const clock = new ManualClock();
  const { every, now } = clock;
  return { every, now, pass: (ms: number) => clock.pass(ms) };
}

Deno.test("of each host that says so it is told that nobody listens there, one after the other", async () => {
  const peers = 30;
  const { table, events, logger, pass } = telling(peers);
  const stop = new AbortController();
  const running = events.run(stop.signal);
  for (let second = 0; second < 15 * peers; second++) {
    const mux = Math.floor(second / 15);
    count(table.counters.of(mux), ConnectionCounter.PACKETS_OUT);
    await pass(1000);
  }
  stop.abort();
  await running;
  const refused = logger.lines.filter((line) => /nobody listens/.test(line));
  assert.equal(refused.length, peers);
  assert.match(refused[7] ?? "", /^WARNING: connection 7 /);
});

Deno.test("a peer that was heard before the first look came from somewhere else than was expected, or not", async () => {
  const { table, events, logger } = telling(3);
  const before = [undefined, "192.0.2.1:4444", "192.0.2.7:4444"];
  const there = {
    address: parseAddress("192.0.2.1") ?? assert.fail(),
    port: 4444,
  };
  for (const [mux, remote] of before.entries()) {
    events.expect(mux, remote);
    putEndpoint(table, mux, there);
    table.noteHeard(mux, 500);
  }
  await events.run(AbortSignal.abort());
  const heard = "is heard for the first time";
  assert.deepEqual(logger.lines, [
    `NOTICE: connection 0 ${heard}: autodetected remote host 192.0.2.1:4444`,
    `NOTICE: connection 1 ${heard}, from 192.0.2.1:4444`,
    `NOTICE: connection 2 ${heard}, and not from 192.0.2.7:4444: ` +
    "autodetected remote host ip changed 192.0.2.1:4444",
  ]);
});

Deno.test("nothing is told of a connection that was removed meanwhile", () => {
  const { table, events, logger } = telling(2);
  for (const mux of [0, 1]) table.noteHeard(mux, 500);
  table.remove(1);
  for (const mux of [0, 1]) events.lookAt(mux);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0] ?? "", /connection 0 is heard/);
});

Deno.test("of thousands of peers that fall silent at once few are asked whether they listen", async () => {
  const table = tableOf(PEERS);
  const { every, now, pass } = manualClock();
  let [asked, most] = [0, 0];
  const answers: (() => void)[] = [];
  const events = new PeerEvents({ silentAfter: 10 }, {
    ...{ table, interfaceName: () => undefined, logger: recordingLog() },
    isPortClosed: async () => {
      most = Math.max(most, ++asked);
      await new Promise<void>((resolve) => answers.push(resolve));
      asked--;
      return false;
    },
  }, { elapsed: now, every, steadyNow: now });
  const stop = new AbortController();
  const running = events.run(stop.signal);
  for (let k = 0; k < 20; k++) {
    for (let mux = 0; mux < PEERS; mux++) {
      count(table.counters.of(mux), ConnectionCounter.PACKETS_OUT);
    }
    await pass(1000);
  }
  assert.ok(most > 0, "some are asked");
  assert.ok(most < 20, `${most} at a time`);
  for (const answer of answers) answer();
  stop.abort();
  await running;
});
