// Rows of tables for people, in columns.
import { visible } from "./visible.ts";

/** @param rows The first one has the headings */
export function alignedRows(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map((cell) => visible(cell)));
  const widths = (shown[0] ?? []).map((_, k) =>
    Math.max(...shown.map((row) => row[k]?.length ?? 0))
  );
  return shown.map((row) =>
    row.map((cell, k) => cell.padEnd(widths[k] ?? 0)).join("  ").trimEnd()
  );
}
