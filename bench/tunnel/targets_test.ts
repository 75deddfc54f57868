import assert from "node:assert/strict";
import { medians, modes, type Report, type Sample } from "./report.ts";
import { renderTargets, targets } from "./targets.ts";

type Rows = Record<string, Record<string, number>>;

function reportOf(...rounds: readonly Rows[]): Report {
  const samples = rounds.flatMap((rows, round) =>
    Object.entries(rows).flatMap(([subject, row]) =>
      Object.entries(row).map(([metric, value]): Sample => ({
        ...{ subject, metric, value, round },
      }))
    )
  );
  const ids = [...new Set(samples.map(({ subject }) => subject))];
  const isOurs = (id: string) => id === "source" || id === "ipsec-mb";
  const subjects = ids.map((id) => ({
    ...{ id, label: id, version: "1" },
    ...isOurs(id) && { ours: true as const },
  }));
  return {
    environment: {
      date: "",
      cpu: "",
      cores: 2,
      memory: 0,
      kernel: "",
      congestionControl: "",
      deno: "",
      loadAverage: 0,
    },
    rounds: rounds.length,
    seconds: 2,
    subjects,
    metrics: [],
    omissions: [],
    failures: [],
    reference: "source",
    medians: medians(samples),
    ranges: {},
    ratios: {},
    modes: modes(samples, subjects),
    directions: [],
    samples,
  };
}

const measured = (report: Report, name: string) =>
  targets(report).find((target) => target.name === name)?.measured;

const tcp = (gbps: number) => ({ "tcp.forward.gbps": gbps });

Deno.test("the best other peer is the one that comes nearest, and not anytun", () => {
  const report = reportOf({
    ...{ "source": tcp(6), "ipsec-mb": tcp(8), "anytun": tcp(6) },
    ...{ "wireguard-go": tcp(2), "nebula": tcp(1) },
  });
  assert.equal(measured(report, "TCP, best other peer"), 3);
  assert.equal(measured(report, "TCP, libIPSec_MB, best other peer"), 4);
});

Deno.test("ratios to peers are taken within each round", () => {
  const round = (ours: number, theirs: number) => ({
    ...{ source: tcp(ours), uanytun: tcp(theirs) },
  });
  const report = reportOf(round(6, 2), round(1, 0.5), round(8, 1));
  assert.equal(measured(report, "TCP, best other peer"), 3);
});

Deno.test("anytun's modes count where its throughput has two", () => {
  const one = reportOf({ source: tcp(6), anytun: tcp(0.5) });
  assert.equal(measured(one, "TCP, anytun's slow mode"), undefined);
  const both = (gbps: number) => ({
    ...{ ...tcp(gbps), "tcp.reverse.gbps": gbps },
  });
  const two = reportOf({ source: tcp(6), anytun: both(0.5) }, {
    ...{ source: tcp(6), anytun: both(1) },
  });
  assert.equal(measured(two, "TCP, anytun's slow mode"), 12);
  assert.equal(measured(two, "TCP, anytun's fast mode"), 6);
});

Deno.test("a target is met at its bound, and left out where there is no figure", () => {
  const lines = (cpu: number, memory: number) =>
    renderTargets(reportOf({
      source: {
        ...{ "tcp.forward.cpu": cpu, "memory.left": 1, "memory.right": memory },
      },
    })).split("\n").map((line) => line.replaceAll(/ +/g, " ").trim());
  assert.deepEqual(lines(3.2, 81).slice(1), [
    "TCP, CPU at most 3.2 s/GB 3.20 met",
    "memory, source at most 80 MiB 81.0 not met",
  ]);
  assert.equal(renderTargets(reportOf()), "");
});
