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

function grid(rows: readonly (readonly string[])[]): string {
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
  const body = metrics.map(({ id, label, unit }) => [
    label,
    unit,
    ...subjects.map((subject) => cell(subject.id, id)),
  ]);
  return grid([head, ...body]);
}

/** The mixed pairs, or nothing if there are none. */
export function renderDirections(report: Report): string {
  if (report.directions.length === 0) return "";
  const head = ["TCP, mixed pairs", "Gbit/s", "CPU of both, s/GB", "ratio"];
  const body = report.directions.map((found) => {
    const { sender, receiver, gbps, senderCpu, receiverCpu, ratio } = found;
    return [
      `${sender} to ${receiver}`,
      threeDigits(gbps),
      `${threeDigits(senderCpu)} + ${threeDigits(receiverCpu)}`,
      ratio === undefined ? "-" : `${threeDigits(ratio)}x`,
    ];
  });
  return grid([head, ...body]);
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
    `(x): how many times better ${reference?.label ?? "none"} is`,
    ...subjects.map(({ label, version, plane }) =>
      `${label}: ${version}${plane === undefined ? "" : `; ${plane}`}`
    ),
    ...omissions.map(({ name, reason }) => `left out: ${name}: ${reason}`),
    ...failures.map((f) =>
      `failed: ${f.subject}, round ${f.round}, ${f.scenario}: ${f.reason}`
    ),
  ].join("\n");
}
