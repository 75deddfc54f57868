import assert from "node:assert/strict";
import { PeerEvents } from "../../../src/daemon/peer_events.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";
import { ConnectionCounter, count } from "../../../src/tunnel/counters.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const PEERS = 1000;

Deno.test("of thousands of peers that fall silent at once few are asked whether they listen", async () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  for (let mux = 0; mux < PEERS; mux++) {
    const secrets = { key: new Uint8Array(16), salt: new Uint8Array(14) };
    table.put(mux, { role: "left", secrets, windowSize: 0 }, 0);
  }
  const clock = new ManualClock();
  const { every, now } = clock;
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
      count(table.counters(mux), ConnectionCounter.PACKETS_OUT);
    }
    await clock.pass(1000);
  }
  assert.ok(most > 0, "some are asked");
  assert.ok(most < 20, `${most} at a time`);
  for (const answer of answers) answer();
  stop.abort();
  await running;
});
