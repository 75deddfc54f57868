/**
 * The report as text for the terminal.
 *
 * @module
 */

import type { Report } from "./report.ts";

/** A number with three significant digits, never in exponent form. */
export function threeDigits(value: number): string {
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(2 - magnitude, 0), 3));
}

/** A table as lines of text. */
export function grid(rows: readonly (readonly string[])[]): string {
  const width = (column: number) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  const line = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[column] ?? 0)
        : cell.padStart(widths[column] ?? 0)
    ).join("  ");
  return rows.map(line).join("\n");
}

/** Medians, and behind each how many times better the reference is. */
export function renderTable(report: Report): string {
  const { metrics, medians, ratios, reference } = report;
  const subjects = report.subjects.filter(({ pair }) => pair === undefined);
  const cell = (subject: string, metric: string): string => {
    const value = medians[subject]?.[metric];
    if (value === undefined) return "-";
    const ratio = ratios[subject]?.[metric];
    if (ratio === undefined || subject === reference) return threeDigits(value);
    return `${threeDigits(value)} (${threeDigits(ratio)}x)`;
  };
  const head = ["", "unit", ...subjects.map(({ label }) => label)];
  const versions = ["version", "", ...subjects.map(({ version }) => version)];
  const found = metrics.filter(({ id }) =>
    subjects.some((subject) => medians[subject.id]?.[id] !== undefined)
  );
  const body = found.map(({ id, label, unit }) => [
    label,
    unit,
    ...subjects.map((subject) => cell(subject.id, id)),
  ]);
  return grid([head, versions, ...body]);
}

/** The metrics that everything hangs on. */
const HEADLINES = [
  ...["tcp.forward.gbps", "tcp.forward.cpu", "tcp.reverse.gbps"],
  ...["udp1300.kpps", "udp64.kpps"],
];

/** Median, least and greatest of the main figures, a line for each program. */
export function renderSpread(report: Report): string {
  const metrics = HEADLINES.flatMap((id) =>
    report.metrics.filter((metric) => metric.id === id)
  );
  const subjects = report.subjects.filter(({ pair }) => pair === undefined);
  if (metrics.length === 0) return "";
  const cell = (subject: string, metric: string): string => {
    const value = report.medians[subject]?.[metric];
    const range = report.ranges[subject]?.[metric];
    if (value === undefined || range === undefined) return "-";
    return `${threeDigits(value)} [${range.map(threeDigits).join("-")}]`;
  };
  const head = [
    "median [least-greatest]",
    ...metrics.map(({ label, unit }) => `${label}, ${unit}`),
  ];
  const body = subjects.map(({ id, label, version }) => [
    `${label} ${version}`,
    ...metrics.map((metric) => cell(id, metric.id)),
  ]);
  return grid([head, ...body]);
}

/** The mixed pairs, or nothing if there are none. */
export function renderDirections(report: Report): string {
  if (report.directions.length === 0) return "";
  const head = ["TCP, mixed pairs", "Gbit/s", "CPU of both, s/GB", "ratio"];
  const name = (id: string) => {
    const version = report.subjects.find((one) => one.id === id)?.version;
    return version === undefined ? id : `${id} ${version}`;
  };
  const body = report.directions.map((found) => {
    const { sender, receiver, gbps, senderCpu, receiverCpu, ratio } = found;
    return [
      `${name(sender)} to ${name(receiver)}`,
      threeDigits(gbps),
      `${threeDigits(senderCpu)} + ${threeDigits(receiverCpu)}`,
      ratio === undefined ? "-" : `${threeDigits(ratio)}x`,
    ];
  });
  return grid([head, ...body]);
}

/** What the makers of another one say of it; nothing that was measured here. */
const PUBLISHED = "published: wireguard-go of Tailscale, sending, 32 flows, " +
  "another machine: 0.152 cores per Gbit/s " +
  "(https://github.com/tailscale/wireguard-go/pull/96)";

function nameOf(report: Report, id: string): string {
  return report.subjects.find((subject) => subject.id === id)?.label ?? id;
}

/** The machine, the versions and what was left out. */
export function renderNotes(report: Report): string {
  const { environment: machine, subjects, omissions, failures } = report;
  const reference = subjects.find(({ id }) => id === report.reference);
  return [
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ` +
    `TCP ${machine.congestionControl}, Deno ${machine.deno}`,
    `load average before the run: ${machine.loadAverage.toFixed(2)}`,
    `medians of ${report.rounds} rounds, ${report.seconds} s a transfer; ` +
    `(x): how many times better ${reference?.label ?? "none"} is, ` +
    `the median of the ratios in each round`,
    ...subjects.map(({ label, version, settings }) =>
      `${label}: ${version}${settings === undefined ? "" : `; ${settings}`}`
    ),
    ...Object.entries(report.modes).map(([id, two]) =>
      `two modes: ${nameOf(report, id)}: TCP at ${
        threeDigits(two.low)
      } Gbit/s ` +
      `(${two.lowCount} samples) and ${
        threeDigits(two.high)
      } (${two.highCount})`
    ),
    PUBLISHED,
    ...omissions.map(({ name, reason }) => `left out: ${name}: ${reason}`),
    ...failures.map((f) =>
      `failed: ${f.subject}, round ${f.round}, ${f.scenario}: ${f.reason}`
    ),
  ].join("\n");
}
