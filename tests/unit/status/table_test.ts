import { strict as assert } from "node:assert";
import { DUMP_COLUMNS, dumpLines } from "../../../src/status/dump.ts";
import { bytesText, durationText } from "../../../src/status/page/text.js";
import { agoText, tableLines } from "../../../src/status/table.ts";
import { visible, visibleJson } from "../../../src/log/visible.ts";
import { connectionReport, NOON, sampleReport } from "../../samples/report.ts";

Deno.test("bytes have one digit behind the point below a hundred of a unit", () => {
  const texts = [0, 1023, 1024, 1536, 102_400, 1_048_575, 5 * 2 ** 30]
    .map(bytesText);
  assert.deepEqual(texts, [
    ...["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "100 KiB", "1.0 MiB"],
    "5.0 GiB",
  ]);
});

Deno.test("durations have their two largest units, and no part of a second", () => {
  const texts = [0, 0.999, 1, 61, 3605, 90_000, -0.005]
    .map(durationText);
  assert.deepEqual(texts, [
    ...["0 s", "0 s", "1 s", "1 min 1 s", "1 h", "1 d 1 h", "0 s"],
  ]);
  assert.equal(agoText(NOON, null), "never");
});

Deno.test("the table begins with the name and the device, and has a line a connection", () => {
  const lines = tableLines(sampleReport({
    connections: [
      connectionReport({ counters: { wrong_tag_total: 2, replayed_total: 3 } }),
      connectionReport({
        ...{ mux: 12, peer: null, endpoint: null, lastHeard: null },
        ...{ keyEpoch: 490_000, counters: { bytes_out_total: 2048 } },
        pathMtu: null,
      }),
    ],
    counters: { unknown_mux_total: 4, mss_lowered_total: 9 },
  }));
  assert.deepEqual(lines, [
    "office (tun0): running for 1 h, anytun 1.2.3, process 77",
    "  device: tun, mtu 1400",
    "  plane: native data plane",
    "  listening: 0.0.0.0:4444",
    "  health: fit for 58 min 20 s",
    "  dropped: 4 of an unknown mux",
    "MUX  PEER             ENDPOINT        LAST HEARD  SENT     RECEIVED  ERRORS  KEY EPOCH  PATH MTU",
    "1    vpn.example.com  192.0.2.1:4444  3 s ago     0 B      0 B       5       -          1500",
    "12   -                -               never       2.0 KiB  0 B       0       490000     -",
  ]);
});

Deno.test("rates are those since an earlier report of the same process", () => {
  const before = sampleReport();
  const counters = { bytes_out_total: 4096, bytes_in_total: 0 };
  const after = sampleReport({
    time: NOON + 2000,
    connections: [connectionReport({ counters })],
  });
  const row = tableLines(after, before).at(-1) ?? "";
  assert.match(row, /4\.0 KiB 1\.0 KiB\/s +0 B 0 B\/s/);
  const other = tableLines({ ...after, pid: 78 }, before).at(-1) ?? "";
  assert.doesNotMatch(other, /\/s/);
  const atOnce = tableLines(after, after).at(-1) ?? "";
  assert.doesNotMatch(atOnce, /\/s/);
});

Deno.test("what is wrong stands out in the table", () => {
  const [hung = ""] = tableLines(sampleReport({ isCarrying: false }));
  assert.match(hung, /NOT CARRYING/);
  const lines = tableLines(sampleReport({
    state: "starting",
    isCarrying: false,
    device: null,
    connections: [],
    connectionCount: 5,
    health: {
      ...{ state: "unfit", since: NOON - 5000 },
      reasons: ["the device tun0 is down", "not in step"],
    },
    cluster: {
      inStep: false,
      servers: [{ server: "a:2323", isConnected: false }],
      clients: ["192.0.2.7:9"],
      passedOver: 4,
    },
  }));
  assert.match(lines[0] ?? "", /^office \(no device yet\): starting/);
  assert.deepEqual(lines.slice(3), [
    "  cluster: NOT IN STEP; follows a:2323 (not connected); followed from 192.0.2.7:9; 4 statements passed over",
    "  health: UNFIT for 5 s: the device tun0 is down; not in step",
    "no connections",
    "and 5 more connections",
  ]);
});

Deno.test("the table has what is announced, and whether it is guarded", () => {
  const line = (change: object) =>
    tableLines(sampleReport({
      announcement: {
        ...{ addresses: ["192.0.2.1/32", "2001:db8::1/128"], device: "any0" },
        ...{ isAnnounced: true, isGuarded: true, drainTime: 10, ...change },
      },
    })).find((line) => line.startsWith("  anycast"));
  const both = "  anycast: 192.0.2.1/32, 2001:db8::1/128 on any0";
  assert.equal(line({}), `${both} announced`);
  assert.equal(
    line({ isAnnounced: false, isGuarded: false }),
    `${both} withdrawn, WITHOUT GUARD`,
  );
  assert.equal(
    line({ addresses: [], device: null }),
    "  anycast: announced",
  );
});

Deno.test("no text of a daemon acts on the terminal that shows it", () => {
  const hostile = "\x1b[2J\x9b2K\t\n\u202e\u2028" +
    String.fromCharCode(0xd800) + "\u{e0041}x";
  const text =
    "\\u001b[2J\\u009b2K\\u0009\\u000a\\u202e\\u2028\\ud800\\udb40\\udc41x";
  assert.equal(visible(hostile), text);
  const report = sampleReport({
    name: hostile,
    plane: hostile,
    listening: [hostile],
    health: { state: "unfit", reasons: [hostile], since: NOON },
    connections: [connectionReport({ peer: hostile, endpoint: hostile })],
  });
  for (const line of [...tableLines(report), ...dumpLines(report)]) {
    assert.doesNotMatch(line, /[^\t -~]/);
    assert.ok(!line.includes("\x1b"));
  }
  const json = visibleJson(report);
  assert.match(json, /^[ -~]*$/);
  // Half a pair comes back as it was, since JSON can say it.
  assert.deepEqual(JSON.parse(json), report);
});

Deno.test("lines for scripts have a column for each name, and none empty", () => {
  const report = sampleReport({
    device: null,
    listening: [],
    connections: [
      connectionReport({ routes: ["10.0.0.0/8", "2001:db8::/32"] }),
      connectionReport({ peer: null, endpoint: null, lastHeard: null }),
    ],
  });
  const [tunnel = [], first = [], second = []] = dumpLines(report)
    .map((line) => line.split("\t"));
  assert.equal(tunnel.length, DUMP_COLUMNS.tunnel.length);
  for (const row of [first, second]) {
    assert.equal(row.length, DUMP_COLUMNS.connection.length);
  }
  assert.ok([...tunnel, ...first, ...second].every((cell) => cell !== ""));
  assert.deepEqual(first, [
    ...["connection", "office", "1", "vpn.example.com", "192.0.2.1:4444"],
    ...[String(NOON / 1000 - 3), "2048", "500", "0", "0", "0", "-"],
    ...["10.0.0.0/8,2001:db8::/32", "1500"],
  ]);
  assert.deepEqual(second.slice(3, 6), ["-", "-", "0"]);
});
