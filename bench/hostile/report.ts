/**
 * The report: as JSON, and as tables of Markdown for docs/reliability.md.
 *
 * @module
 */

import type { Environment } from "../tunnel/environment.ts";
import { threeDigits } from "../tunnel/table.ts";
import type { Figure, Outcome, Scenario } from "./scenario.ts";

/** Who was asked. */
export interface Asked {
  readonly id: string;
  readonly label: string;
  readonly version: string;
}

/** What came of one case for one contender. */
export interface Cell extends Outcome {
  readonly scenario: string;
  readonly case: string;
  readonly contender: string;
}

/** A table, without its cells. */
type Table = Pick<Scenario, "name" | "title" | "text" | "figures">;

/** Everything, as it lies in bench/results/hostile.json. */
export interface Report {
  readonly environment: Environment;
  readonly seconds: number;
  readonly pauseSeconds: number;
  readonly contenders: readonly Asked[];
  readonly omissions: readonly { name: string; reason: string }[];
  readonly tables: readonly Table[];
  readonly cells: readonly Cell[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/**
 * A report with the tables of a later run in place of its own of these names.
 *
 * @param names All tables, in their order
 * @throws {Error} The later run is no part of this one
 */
export function withTables(
  report: Report,
  later: Report,
  names: readonly string[],
): Report {
  const reason = whyApart(report, later);
  if (reason !== undefined) {
    throw new Error(
      `Cannot join runs: other ${reason} than that of all tables`,
    );
  }
  const isNew = (name: string) => later.tables.some((one) => one.name === name);
  const tables = [
    ...report.tables.filter(({ name }) => !isNew(name)),
    ...later.tables,
  ].sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  const cells = [
    ...report.cells.filter(({ scenario }) => !isNew(scenario)),
    ...later.cells,
  ];
  return { ...report, tables, cells };
}

/** In what two runs differ that have to be of one machine and its programs. */
function whyApart(report: Report, later: Report): string | undefined {
  const facts = (
    { environment, contenders, seconds, pauseSeconds }: Report,
  ): Record<string, unknown> => ({
    processor: environment.cpu,
    kernel: environment.kernel,
    Deno: environment.deno,
    programs: JSON.stringify(contenders),
    "length of copies": seconds,
    "length of pauses": pauseSeconds,
  });
  const [one, other] = [facts(report), facts(later)];
  return Object.keys(one).find((name) => one[name] !== other[name]);
}

/** The command that makes one table again. */
export function commandOf({ name }: Pick<Table, "name">): string {
  return `deno task bench:hostile --peers peers --scenario ${name}`;
}

/** All tables with their titles, texts and commands. */
export function renderMarkdown(report: Report): string {
  return report.tables.map((table) => renderTable(report, table)).join("\n\n");
}

/** One table, with its title, text and command. */
export function renderTable(report: Report, table: Table): string {
  const cells = report.cells.filter(({ scenario }) => scenario === table.name);
  const names = [...new Set(cells.map((cell) => cell.case))];
  const asked = report.contenders.filter(({ id }) =>
    cells.some(({ contender }) => contender === id)
  );
  const head = [table.figures.map(({ label }) => label).join(" · ")];
  const rows = names.map((name) => [
    name,
    ...asked.map(({ id }) => {
      const cell = cells.find((cell) =>
        cell.case === name && cell.contender === id
      );
      return cell === undefined ? "" : cellText(cell, table.figures);
    }),
  ]);
  return [
    `### ${table.title}\n`,
    `${table.text}\n`,
    markdownTable([
      [...head, ...asked.map(({ label }) => label)],
      ...rows,
    ]),
    `\n\`${commandOf(table)}\``,
  ].join("\n");
}

/** The figures of a cell; in front of them **no** if it was not stood. */
export function cellText(
  { survived, figures, note }: Outcome,
  wanted: readonly Figure[],
): string {
  const numbers = wanted.map(({ id }) => {
    const value = figures[id];
    return value === undefined ? "-" : numberText(value);
  });
  const measured = numbers.some((number) => number !== "-");
  return [
    ...survived ? [] : ["**no**"],
    ...measured ? [numbers.join(" · ")] : survived ? ["yes"] : [],
    ...note === undefined ? [] : [note],
  ].join(", ");
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : threeDigits(value);
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from(
    { length: columns },
    (_, k) => Math.max(3, ...rows.map((row) => row[k]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, k) => cell.padEnd(widths[k] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...body.map(line)].join("\n");
}

/** The machine, the versions and what was left out. */
export function renderNotes(report: Report): string {
  const { environment: machine, contenders, omissions, failures } = report;
  const versions = contenders.map(({ label, version }) =>
    `${label} ${version}`
  );
  return [
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ` +
    `Deno ${machine.deno}; ${versions.join(", ")}`,
    `copies of ${report.seconds} s, pauses of ${report.pauseSeconds} s`,
    ...omissions.map(({ name, reason }) => `left out: ${name}: ${reason}`),
    ...failures.map((failure) => `failed: ${failure}`),
  ].join("\n");
}
