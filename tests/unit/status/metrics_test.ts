import { strict as assert } from "node:assert";
import { outcomeOf } from "../../../lab/process.ts";
import { missingCommand, whyNoPrograms } from "../../../lab/missing.ts";
import { metricsLines } from "../../../src/status/metrics.ts";
import type { Report } from "../../../src/status/report.ts";
import {
  CONNECTION_COUNTER_INFOS,
  PLANE_COUNTER_INFOS,
} from "../../../src/tunnel/counters.ts";
import {
  connectionReport,
  NOON,
  sampleReport,
  samplesOf,
} from "../../samples/report.ts";
import { testUnless } from "../../../lab/test_unless.ts";

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
    passedOver: 4,
  },
});

function metricsText(report: Report): string {
  return [...metricsLines(report, samplesOf(report))].join("");
}

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
      "anytun_cluster_passed_over_total 4",
      `anytun_start_time_seconds ${NOON / 1000 - 3600}`,
      "anytun_ready 1",
      "anytun_draining 0",
      'anytun_cluster_server_connected{server="a:1"} 1',
      'anytun_info{name="office",version="1.2.3",device="tun0",' +
      'plane="a \\"plane\\"\\\\\\n"} 1',
    ]
  ) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!text.includes('key_epoch{mux="65535"}'));
});

Deno.test("a server that is followed twice has one metric", () => {
  const connected = lines.filter((line) =>
    line.startsWith("anytun_cluster_server_connected{")
  );
  assert.equal(connected.length, 1);
});

Deno.test("a daemon that is drained carries, and is not ready", () => {
  const health = { state: "draining", reasons: [], since: NOON } as const;
  const drained = metricsText(sampleReport({ health })).split("\n");
  for (const line of ["anytun_up 1", "anytun_ready 0", "anytun_draining 1"]) {
    assert.ok(drained.includes(line), line);
  }
});

Deno.test("a daemon that announces itself has a metric for that and for its guard, others have none", () => {
  const announcement = {
    ...{ addresses: ["192.0.2.1/32"], device: "any0" },
    ...{ isAnnounced: true, isGuarded: false, drainTime: 10 },
  };
  const text = metricsText(sampleReport({ announcement }));
  assert.match(text, /^anytun_announced 1$/m);
  assert.match(text, /^anytun_announcement_guarded 0$/m);
  assert.doesNotMatch(metricsText(sampleReport()), /announce/);
});

Deno.test("the health has a metric for each state, of which one is 1", () => {
  const health = { state: "unfit", reasons: [], since: NOON } as const;
  const text = metricsText(sampleReport({ health }));
  const states = [...text.matchAll(/^anytun_health{state="(\w+)"} (\d)$/gm)]
    .map(([, state, value]) => [state, value]);
  assert.deepEqual(states, [
    ["starting", "0"],
    ["fit", "0"],
    ["draining", "0"],
    ["unfit", "1"],
  ]);
});

Deno.test("a peer that was never heard has been silent since 1970", () => {
  const line = 'anytun_connection_last_heard_timestamp_seconds{mux="65535"} 0';
  assert.ok(text.includes(`${line}\n`));
});

Deno.test("a daemon without connections has no metric without a value", () => {
  const bare = metricsText(sampleReport({ connections: [], device: null }));
  assert.ok(!bare.includes("anytun_connection_"));
  assert.ok(!bare.includes("anytun_cluster"));
});

function promtoolTest(name: string, fn: () => Promise<void>): void {
  testUnless([whyNoPrograms(), missingCommand("promtool")], name, fn);
}

/** What it says on both streams; it has to find no fault. */
async function promtool(
  args: readonly string[],
  input: string,
): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(
    ["promtool", ...args],
    { input },
  );
  const said = stdout + stderr;
  assert.equal(code, 0, said);
  return said;
}

promtoolTest("promtool finds no fault in the metrics", async () => {
  assert.equal(await promtool(["check", "metrics"], text), "");
});

promtoolTest(
  "promtool finds no fault in what docs/monitoring.md has for it",
  async () => {
    const document = Deno.readTextFileSync(
      new URL("../../../docs/monitoring.md", import.meta.url),
    );
    const [, config = ""] = /^```yaml\n(.*?)^```$/ms.exec(document) ?? [];
    await promtool(["check", "config", "/dev/stdin"], config);
    const rows = [...document.matchAll(/^\| `([^`]+)` +\|/gm)];
    const rules = rows.map(([, expr = ""], k) =>
      `  - {alert: rule${k}, expr: ${JSON.stringify(expr)}}\n`
    );
    const said = await promtool(
      ["check", "rules", "/dev/stdin"],
      `groups:\n- name: anytun\n  rules:\n${rules.join("")}`,
    );
    assert.match(said, new RegExp(`SUCCESS: ${rows.length} rules found`));
    assert.ok(rows.length > 0);
  },
);
