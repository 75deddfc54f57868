import { strict as assert } from "node:assert";
import { gzipSync } from "node:zlib";
import { openStore } from "../../../src/daemon/etcd.ts";

Deno.test("an answer that is packed is as long as what it unpacks to", async () => {
  const bomb = Uint8Array.from(
    gzipSync(new Uint8Array(64 << 20).fill(0x20)),
  );
  const headers = { "content-encoding": "gzip" };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bomb, { headers }),
  );
  using store = openStore({
    origins: [`http://127.0.0.1:${server.addr.port}`],
    ...{ prefix: "/fleet", text: "", login: undefined, tls: undefined },
  });
  await assert.rejects(
    store.client.range("/fleet/clients/"),
    /longer than 4194304 bytes/,
  );
});
