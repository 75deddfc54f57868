import assert from "node:assert/strict";
import { renderChart } from "./chart.ts";
import { directions, medians, ratios, type Report } from "./report.ts";
import type { Metric } from "./scenario.ts";
import {
  renderDirections,
  renderNotes,
  renderTable,
  threeDigits,
} from "./table.ts";

const GBPS: Metric = {
  id: "tcp.forward.gbps",
  label: "TCP",
  unit: "Gbit/s",
  better: "higher",
};
const CPU: Metric = {
  id: "tcp.forward.cpu",
  label: "TCP, CPU",
  unit: "s/GB",
  better: "lower",
};

const SUBJECTS = [
  {
    id: "ours",
    label: "this",
    version: "1",
    ours: true as const,
    plane: "native data plane, engine x (y), 2 workers",
  },
  { id: "theirs", label: "<them> & co", version: "2" },
  {
    id: "ours+theirs",
    label: "a pair",
    version: "1 to 2",
    pair: { left: "ours", right: "theirs" },
  },
];

const FIGURES = {
  ours: { "tcp.forward.gbps": 3, "tcp.forward.cpu": 4 },
  theirs: {
    "tcp.forward.gbps": 0.2,
    "tcp.forward.cpu": 50,
    "tcp.reverse.gbps": 0.25,
  },
  "ours+theirs": {
    "tcp.forward.gbps": 0.3,
    "tcp.forward.cpu.left": 2,
    "tcp.forward.cpu.right": 30,
    "tcp.reverse.gbps": 0.5,
    "tcp.reverse.cpu.left": 3,
    "tcp.reverse.cpu.right": 40,
  },
};

const REPORT: Report = {
  environment: {
    date: "2026-11-22T13:44:00.000Z",
    cpu: "CPU",
    cores: 2,
    memory: 2 ** 30,
    kernel: "6.1",
    congestionControl: "cubic",
    deno: "2.9.6",
    loadAverage: 0,
  },
  rounds: 3,
  seconds: 3,
  subjects: SUBJECTS,
  metrics: [GBPS, CPU],
  omissions: [],
  failures: [],
  reference: "ours",
  medians: FIGURES,
  ratios: ratios(FIGURES, [GBPS, CPU], "ours"),
  directions: directions(FIGURES, SUBJECTS),
  samples: [],
};

Deno.test("medians() keeps subjects and metrics apart", () => {
  const sample = (subject: string, metric: string, value: number) => ({
    subject,
    metric,
    value,
    round: 1,
  });
  const found = medians([
    sample("a", "x", 1),
    sample("a", "x", 9),
    sample("a", "x", 2),
    sample("a", "y", 50),
    sample("b", "x", 7),
  ]);
  assert.deepEqual(found, { a: { x: 2, y: 50 }, b: { x: 7 } });
});

Deno.test("ratios() say how many times better the reference is", () => {
  assert.equal(REPORT.ratios["theirs"]?.[GBPS.id], 3 / 0.2);
  assert.equal(REPORT.ratios["theirs"]?.[CPU.id], 50 / 4);
  assert.equal(REPORT.ratios["ours"]?.[GBPS.id], 1);
});

Deno.test("ratios() leave out what one of the two lacks", () => {
  const partial = { ours: {}, theirs: { [GBPS.id]: 1 } };
  assert.deepEqual(ratios(partial, [GBPS], "ours"), { ours: {}, theirs: {} });
});

Deno.test("directions() name the sender and compare with the real pair", () => {
  assert.deepEqual(REPORT.directions, [
    {
      sender: "ours",
      receiver: "theirs",
      gbps: 0.3,
      senderCpu: 2,
      receiverCpu: 30,
      ratio: 0.3 / 0.2,
    },
    {
      sender: "theirs",
      receiver: "ours",
      gbps: 0.5,
      senderCpu: 40,
      receiverCpu: 3,
      ratio: 2,
    },
  ]);
});

Deno.test("directions() leave out a pair that was not measured", () => {
  assert.deepEqual(directions({}, SUBJECTS), []);
});

Deno.test("threeDigits() rounds to three digits without an exponent", () => {
  const shown = [0, 0.0456, 0.5, 3.0949, 14.46, 212.4, 12345].map(threeDigits);
  assert.deepEqual(shown, [
    ...["0.00", "0.046", "0.500", "3.09", "14.5", "212", "12345"],
  ]);
});

Deno.test("the table shows each program's median and ratio, but no pair", () => {
  const table = renderTable(REPORT);
  assert.match(table, /^TCP +Gbit\/s +3\.00 +0\.200 \(15\.0x\)$/m);
  assert.match(table, /^TCP, CPU +s\/GB +4\.00 +50\.0 \(12\.5x\)$/m);
  assert.doesNotMatch(table, /a pair/);
});

Deno.test("the table of pairs has a line for each direction", () => {
  const table = renderDirections(REPORT);
  assert.match(table, /^ours to theirs +0\.300 +2\.00 \+ 30\.0 +1\.50x$/m);
  assert.match(table, /^theirs to ours +0\.500 +40\.0 \+ 3\.00 +2\.00x$/m);
  assert.equal(renderDirections({ ...REPORT, directions: [] }), "");
});

Deno.test("the chart has a bar for each program in proportion to its figure", () => {
  const chart = renderChart(REPORT);
  const bars = [...chart.matchAll(/class="(ours|peer)".*? width="([\d.]+)"/g)]
    .map(([, kind, width]) => [kind, Number(width)] as const);
  assert.deepEqual(bars.map(([kind]) => kind), [
    ...["ours", "peer"],
    ...["ours", "peer"],
  ]);
  const [ours, theirs] = bars.map(([, width]) => width);
  assert.ok(ours !== undefined && theirs !== undefined);
  assert.ok(Math.abs(ours / theirs - 15) < 0.1);
});

Deno.test("the chart is legible in light and dark mode and escapes labels", () => {
  const chart = renderChart(REPORT);
  assert.match(chart, /prefers-color-scheme: dark/);
  assert.match(chart, /&lt;them&gt; &amp; co/);
  assert.doesNotMatch(chart, /<them>/);
});

Deno.test("the chart leaves out a panel without figures", () => {
  const chart = renderChart({ ...REPORT, medians: {} });
  assert.doesNotMatch(chart, /Gbit\/s|NaN|Infinity/);
});

Deno.test("the notes name each version, and the data plane of those who told", () => {
  const notes = renderNotes(REPORT).split("\n");
  const told = "this: 1; native data plane, engine x (y), 2 workers";
  assert.ok(notes.includes(told), notes.join("\n"));
  assert.ok(notes.includes("<them> & co: 2"));
});
