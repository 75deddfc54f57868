import assert from "node:assert/strict";
import { renderChart } from "./chart.ts";
import {
  directions,
  medians,
  modes,
  ranges,
  ratios,
  type Report,
  type Sample,
} from "./report.ts";
import type { Metric } from "./scenario.ts";
import {
  renderDirections,
  renderNotes,
  renderSpread,
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
    settings: "native data plane, engine x (y), 2 workers",
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

/** One round with these figures. */
function samplesOf(
  figures: Readonly<Record<string, Readonly<Record<string, number>>>>,
  round = 1,
): Sample[] {
  return Object.entries(figures).flatMap(([subject, row]) =>
    Object.entries(row).map(([metric, value]) => ({
      ...{ subject, metric, value, round },
    }))
  );
}

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
  ranges: ranges(samplesOf(FIGURES)),
  ratios: ratios(samplesOf(FIGURES), [GBPS, CPU], "ours"),
  modes: {},
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
  const partial = samplesOf({ theirs: { [GBPS.id]: 1 } });
  assert.deepEqual(ratios(partial, [GBPS], "ours"), { theirs: {} });
});

Deno.test("ratios() compare within rounds, so that a slow one counts no more", () => {
  const rounds = [[4, 2], [1, 0.5], [9, 3], [5, undefined]] as const;
  const samples = rounds.flatMap(([ours, theirs], round) =>
    samplesOf({
      ours: { [GBPS.id]: ours },
      theirs: theirs === undefined ? {} : { [GBPS.id]: theirs },
    }, round)
  );
  assert.equal(ratios(samples, [GBPS], "ours")["theirs"]?.[GBPS.id], 2);
});

Deno.test("ranges() hold the least and the greatest of all rounds", () => {
  const samples = [5, 3, 4].flatMap((value, round) =>
    samplesOf({ a: { x: value } }, round)
  );
  assert.deepEqual(ranges(samples), { a: { x: [3, 5] } });
});

Deno.test("modes() look at TCP of both ways, and find no two where there is one", () => {
  const samples = [[0.3, 0.6], [0.6, 0.3], [0.3, 0.3]].flatMap(
    ([forward = 0, reverse = 0], round) => {
      const row = { "tcp.forward.gbps": forward, "tcp.reverse.gbps": reverse };
      const steady = { "tcp.forward.gbps": 3, "tcp.reverse.gbps": 3.1 };
      return samplesOf({ moody: row, steady }, round);
    },
  );
  const named = (id: string) => ({ id, label: id, version: "1" });
  const [moody, steady] = [named("moody"), named("steady")];
  assert.deepEqual(modes(samples, [moody, steady]), {
    moody: { low: 0.3, high: 0.6, lowCount: 4, highCount: 2 },
  });
  const pair = { ...moody, pair: { left: "steady", right: "moody" } };
  assert.deepEqual(modes(samples, [pair, steady]), {});
});

Deno.test("modes() make no place of a figure that stands alone", () => {
  const samples = [0.1, 0.6, 0.6, 0.6, 0.6].flatMap((forward, round) => {
    const row = { "tcp.forward.gbps": forward, "tcp.reverse.gbps": 0.6 };
    return samplesOf({ moody: row }, round);
  });
  const subjects = [{ id: "moody", label: "moody", version: "1" }];
  assert.deepEqual(modes(samples, subjects), {});
});

Deno.test("modes() make no two places of the two ways of one round", () => {
  const row = { "tcp.forward.gbps": 0.3, "tcp.reverse.gbps": 0.6 };
  const subjects = [{ id: "moody", label: "moody", version: "1" }];
  assert.deepEqual(modes(samplesOf({ moody: row }), subjects), {});
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

Deno.test("the table leaves out a metric that no program has a figure of", () => {
  const silent = { ...GBPS, id: "flows.gbps", label: "TCP, 8 flows" };
  const table = renderTable({ ...REPORT, metrics: [GBPS, silent] });
  assert.doesNotMatch(table, /8 flows/);
});

Deno.test("every table has the versions of all programs in it", () => {
  assert.match(renderTable(REPORT), /^version +1 +2$/m);
  assert.match(renderSpread(REPORT), /^<them> & co 2 /m);
  assert.match(renderDirections(REPORT), /^ours 1 to theirs 2 /m);
  assert.match(renderChart(REPORT), />this 1<.*>&lt;them&gt; &amp; co 2</s);
});

Deno.test("the table of spreads has the least and the greatest of each", () => {
  const samples = [2, 3.5].flatMap((gbps, round) =>
    samplesOf({ ours: { [GBPS.id]: gbps } }, round)
  );
  const table = renderSpread({
    ...REPORT,
    medians: medians(samples),
    ranges: ranges(samples),
  });
  assert.match(table, /^this 1 +2\.75 \[2\.00-3\.50\] +-$/m);
  assert.equal(renderSpread({ ...REPORT, metrics: [] }), "");
});

Deno.test("the table of pairs has a line for each direction", () => {
  const table = renderDirections(REPORT);
  assert.match(table, /^ours 1 to theirs 2 +0\.300 +2\.00 \+ 30\.0 +1\.50x$/m);
  assert.match(table, /^theirs 2 to ours 1 +0\.500 +40\.0 \+ 3\.00 +2\.00x$/m);
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

Deno.test("the notes say in which two places a program's throughput gathers", () => {
  const two = { low: 0.3, high: 0.6, lowCount: 4, highCount: 2 };
  const notes = renderNotes({ ...REPORT, modes: { theirs: two } });
  assert.match(
    notes,
    /^two modes: <them> & co: TCP at 0\.300 .* \(4 samples\) and 0\.600 \(2\)$/m,
  );
});
