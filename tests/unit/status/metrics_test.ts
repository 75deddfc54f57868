import { strict as assert } from "node:assert";
import { missingCommand } from "../../../lab/missing.ts";
import { metricsText } from "../../../src/status/metrics.ts";
import {
  CONNECTION_COUNTER_INFOS,
  PLANE_COUNTER_INFOS,
} from "../../../src/tunnel/counters.ts";
import { connectionReport, NOON, sampleReport } from "../../samples/report.ts";

const report = sampleReport({
  plane: 'a "plane"\\\n',
  connections: [
    connectionReport({ keyEpoch: 7, counters: { wrong_tag_total: 2 } }),
    connectionReport({ mux: 65_535, lastHeard: null }),
  ],
  connectionCount: 5,
  totals: { bytes_out_total: 9e15 },
  counters: { unknown_mux_total: 3 },
  cluster: {
    inStep: true,
    servers: [
      { server: "a:1", isConnected: true },
      { server: "a:1", isConnected: true },
    ],
    clients: [],
  },
});

const text = metricsText(report);
const lines = text.split("\n");

Deno.test("every counter of the table is a metric, with its own help", () => {
  for (const { name, help } of PLANE_COUNTER_INFOS) {
    assert.ok(lines.includes(`# HELP anytun_${name} ${help}`), name);
    assert.ok(lines.includes(`# TYPE anytun_${name} counter`), name);
  }
  for (const { name, help } of CONNECTION_COUNTER_INFOS) {
    for (const prefix of ["anytun_", "anytun_connection_"]) {
      assert.ok(lines.includes(`# HELP ${prefix}${name} ${help}`), name);
    }
  }
  const metrics = lines.filter((line) => line.startsWith("# TYPE"));
  assert.equal(new Set(metrics).size, metrics.length, "none comes twice");
});

Deno.test("metrics have what the report has, labelled by mux", () => {
  for (
    const line of [
      'anytun_connection_wrong_tag_total{mux="1"} 2',
      'anytun_connection_key_epoch{mux="1"} 7',
      `anytun_connection_last_heard_timestamp_seconds{mux="1"} ${
        NOON / 1000 - 3
      }`,
      'anytun_connection_wrong_tag_total{mux="65535"} 0',
      "anytun_connections 5",
      "anytun_connections_unlabelled 3",
      "anytun_bytes_out_total 9000000000000000",
      "anytun_unknown_mux_total 3",
      "anytun_ready 1",
      'anytun_cluster_server_connected{server="a:1"} 1',
      'anytun_info{name="office",version="1.2.3",device="tun0",' +
      'plane="a \\"plane\\"\\\\\\n"} 1',
    ]
  ) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!text.includes('key_epoch{mux="65535"}'));
  assert.ok(!text.includes('last_heard_timestamp_seconds{mux="65535"}'));
});

Deno.test("a daemon without connections has no metric without a value", () => {
  const bare = metricsText(sampleReport({ connections: [], device: null }));
  assert.ok(!bare.includes("anytun_connection_"));
  assert.ok(!bare.includes("anytun_cluster"));
});

const mayRun = Deno.permissions.querySync({ name: "run" }).state === "granted";
const why = mayRun ? missingCommand("promtool") : "Deno runs without -A";

Deno.test({
  name: "promtool finds no fault in the metrics" +
    (why === null ? "" : ` (skipped: ${why})`),
  ignore: why !== null,
  async fn() {
    const child = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const said = new TextDecoder();
    assert.equal(said.decode(stdout) + said.decode(stderr), "");
    assert.equal(code, 0);
  },
});
