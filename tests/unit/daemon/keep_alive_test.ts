import assert from "node:assert/strict";
import { KeepAliveService } from "../../../src/daemon/keep_alive.ts";
import { parseEndpoint } from "../../../src/net/endpoint.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../../../src/tunnel/connection_table.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";

Deno.test("a keep-alive begins, goes faster and ends at a HUP", async () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const words = endpointWords();
  writeEndpoint(words, 0, parseEndpoint("192.0.2.1:4444"));
  table.endpoints.set(7, words, 0);
  const secrets = { key: new Uint8Array(16), salt: new Uint8Array(14) };
  table.put(7, { role: "left", secrets, windowSize: 0 }, 0);
  const clock = new ManualClock();
  let sent = 0;
  const sendDue = () => {
    assert.equal(table.due.take(0), 7);
    sent++;
  };
  const cluster = { routing: false };
  const service = new KeepAliveService(
    { keepalive: 0, cluster },
    table,
    sendDue,
    { elapsed: clock.now, every: clock.every },
  );
  const over = new AbortController();
  const running = service.run(over.signal);
  const pass = async (seconds: number) => {
    const before = sent;
    for (let k = 0; k < seconds; k++) await clock.pass(1000);
    return sent - before;
  };
  assert.equal(await pass(20), 0);
  service.reload({ keepalive: 10 });
  // At once, and then every ten seconds.
  assert.equal(await pass(21), 3);
  service.reload({ keepalive: 2 });
  assert.equal(await pass(20), 10);
  service.reload({ keepalive: 0 });
  assert.equal(await pass(20), 0);
  over.abort();
  await running;
});
