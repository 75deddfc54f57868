import { strict as assert } from "node:assert";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import { FleetClients } from "../../../src/daemon/fleet_clients.ts";
import { RateLimitedLog } from "../../../src/log/rate_limited_log.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const LIMIT = { burst: 5, perSecond: 0.1 };

Deno.test("a store that tells of ever more clients fills no memory with them", async () => {
  const logger = recordingLog();
  const clients = new FleetClients(
    "/fleet",
    { push: () => {}, remove: () => {} },
    { digest: digestWith(crypto.subtle), now: () => 0, runtime: Deno.version },
    new RateLimitedLog(logger, LIMIT, () => 0),
  );
  const put = (text: string) =>
    clients.put({ client: "first", part: "client" }, text, 1);
  put("mux 1\nkd-prf null");
  for (let k = 0; k < (2 << 16) + 100; k++) {
    clients.put({ client: `c${k}`, part: "chain" }, "", 1);
  }
  assert.equal(logger.lines.length, LIMIT.burst);
  assert.match(logger.lines[0] ?? "", /no room for client c131071/);
  put("mux 2\nkd-prf null");
  assert.equal(await clients.settle(), 1);
  assert.equal(clients.size, 1);
});

Deno.test("a client that is made anew is younger than one that has waited for its mux", async () => {
  const clients = new FleetClients(
    "/fleet",
    { push: () => {}, remove: () => {} },
    { digest: digestWith(crypto.subtle), now: () => 0, runtime: Deno.version },
    new RateLimitedLog(recordingLog(), LIMIT, () => 0),
  );
  const put = (client: string, created: number) =>
    clients.put({ client, part: "client" }, "mux 1\nkd-prf null", created);
  put("first", 1);
  put("second", 2);
  await clients.settle();
  assert.deepEqual([...clients.used().keys()], ["first"]);
  // Both changes are heard at once.
  clients.delete({ client: "first", part: "client" });
  put("first", 3);
  await clients.settle();
  assert.deepEqual([...clients.used().keys()], ["second"]);
});
