import { strict as assert } from "node:assert";
import { openBuiltin } from "../../../src/crypto/builtin.ts";
import { Connections } from "../../../src/tunnel/connection.ts";
import { ConnectionTable } from "../../../src/tunnel/connection_table.ts";

/** Of the 32 MiB that the records of all muxes have room for. */
const LITTLE = 4 << 20;

Deno.test("muxes that strangers name take no memory", () => {
  const table = new ConnectionTable(ConnectionTable.allocate());
  const connections = new Connections(table, openBuiltin(0).engine);
  const look = () => {
    for (let mux = 0; mux < 0x10000; mux++) {
      assert.equal(connections.get(mux), undefined);
    }
  };
  connections.get(0);
  const before = Deno.memoryUsage().rss;
  look();
  assert.ok(Deno.memoryUsage().rss - before < LITTLE);
});
