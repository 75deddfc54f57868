/**
 * What fail-overs cost, as data and as tables.
 *
 * @module
 */
import type { Environment } from "../tunnel/environment.ts";

/** What one fail-over cost the client. */
export interface Cost {
  /** Lost datagrams, from the client and to it. */
  readonly there: number;
  readonly back: number;
  /** The longest time that was lost as a whole, of both directions, in ms. */
  readonly gap: number;
  /** Whether the traffic had a way again while somebody watched. */
  readonly isOver: boolean;
}

/** All costs of a fail-over, in the order of its rounds. */
export interface Cell {
  readonly network: string;
  readonly name: string;
  readonly fleet: string;
  readonly costs: readonly Cost[];
  /** What else was seen, such as the speed of transfers meanwhile. */
  readonly notes: readonly string[];
}

export interface FailoverReport {
  readonly environment: Environment;
  /** From one datagram to the next, in ms. */
  readonly interval: number;
  readonly networks: readonly Titled[];
  readonly cases: readonly Titled[];
  readonly fleets: readonly string[];
  readonly cells: readonly Cell[];
}

export interface Titled {
  readonly id: string;
  readonly title: string;
}

/** A table for each network, in Markdown. */
export function renderTables(report: FailoverReport): string {
  return report.networks
    .filter(({ id }) => report.cells.some(({ network }) => network === id))
    .map((network) => renderTable(report, network))
    .join("\n\n");
}

function renderTable(report: FailoverReport, { id, title }: Titled): string {
  const { cases, cells, fleets } = report;
  const rows = cases.map((one) => [
    one.title,
    ...fleets.map((fleet) =>
      costText(
        cells.find((cell) =>
          cell.network === id && cell.name === one.id && cell.fleet === fleet
        ),
      )
    ),
  ]);
  const head = [title, ...fleets];
  return [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The worst of all rounds. */
function costText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  const worst = cell.costs.toSorted((a, b) => b.gap - a.gap)[0];
  if (worst === undefined) return "";
  const { there, back, gap, isOver } = worst;
  const notes = cell.notes.map((note) => `; ${note}`).join("");
  if (there === 0 && back === 0) return `0${notes}`;
  if (!isOver) return `all that came${notes}`;
  return `${there} and ${back}, ${gap} ms${notes}`;
}
