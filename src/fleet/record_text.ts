// Text of a client's record: an option a line, as in a file of `conf.d`
// (docs/fleet.md, "Records").
import { U16_MAX } from "../net/decimal.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";

/** An option, and what it says. */
export type RecordLine = readonly [option: string, value: string | number];

export function formatRecord(lines: readonly RecordLine[]): string {
  return lines.map(([option, value]) => `${option} ${value}\n`).join("");
}

/**
 * The same text with other lines for some options.
 * @param gone Options whose lines are left out
 */
export function withLines(
  text: string,
  gone: readonly string[],
  lines: readonly RecordLine[],
): string {
  const kept = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
    .filter((line) => !gone.includes(optionOf(line)))
    .map((line) => `${line}\n`).join("");
  return kept + formatRecord(lines);
}

/** @returns undefined where it names none, or not once */
export function muxOf(text: string): number | undefined {
  const lines = text.split(/\r\n|\r|\n/)
    .filter((line) => optionOf(line) === "mux");
  const [, digits] = /^\s*mux[ \t]+(\d{1,5})[ \t]*(?:#.*)?$/
    .exec(lines[0] ?? "") ?? [];
  const mux = Number(digits);
  return lines.length === 1 && mux <= U16_MAX ? mux : undefined;
}

/** @returns Its networks; what is none is left out */
export function routesOf(text: string): readonly Prefix[] {
  return text.split(/\r\n|\r|\n/).filter((line) => optionOf(line) === "route")
    .flatMap((line) => /^\s*route[ \t]+([^ \t#]+)/.exec(line)?.[1] ?? [])
    .flatMap((list) => list.split(","))
    .map(parsePrefix).filter((prefix) => prefix !== undefined);
}

function optionOf(line: string): string {
  return /^[ \t]*([^ \t#]*)/.exec(line)?.[1] ?? "";
}
