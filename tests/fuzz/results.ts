// What came of a run: a line for each target while it runs, a table and a file
// in the end.
import type { Environment } from "../../bench/tunnel/environment.ts";
import type { FuzzNews } from "./messages.ts";

export type Progress = Extract<FuzzNews, { readonly runs: number }>;

export interface FuzzResult {
  readonly target: string;
  /** With which the run can be repeated. */
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
  /** Inputs that have run code which none before had run. */
  readonly found: number;
  /** Bytes of code that were run. */
  readonly code: number;
  /** Bytes that the heap has grown by from a tenth of the run to its end. */
  readonly growth: number;
  /** What was wrong; nothing, if it is missing. */
  readonly failure?: string;
}

/** The last run of each target: all of them take hours, and may be run apart. */
export interface FuzzRecord {
  /** Of the target that ended last. */
  readonly environment: Environment;
  readonly results: readonly FuzzResult[];
}

/** With a result in place of an older one of the same target. */
export function withResult(
  results: readonly FuzzResult[],
  result: FuzzResult,
): FuzzResult[] {
  const others = results.filter(({ target }) => target !== result.target);
  return [...others, result].sort((a, b) => a.target < b.target ? -1 : 1);
}

export function resultOf(
  target: string,
  seed: number,
  reports: readonly Progress[],
): FuzzResult {
  const last = reports.at(-1);
  return {
    target,
    seed,
    inputs: last?.runs ?? 0,
    seconds: Math.round((last?.seconds ?? 0) * 10) / 10,
    found: last?.found ?? 0,
    code: last?.coverage ?? 0,
    growth: growthOf(reports),
  };
}

/** After a tenth everything is loaded, compiled and mostly found. */
function growthOf(reports: readonly Progress[]): number {
  const last = reports.at(-1);
  const first = reports.find(({ runs }) => runs * 10 >= (last?.runs ?? 0));
  return (last?.heap ?? 0) - (first?.heap ?? 0);
}

export function lineOf(result: FuzzResult): string {
  const { target, inputs, found, code, growth } = result;
  return [
    target.padEnd(16),
    `${inputs} inputs`,
    `${rateOf(result)}/s`,
    `${found} found, ${code} bytes of code`,
    `heap ${(growth / 1024).toFixed(0)} KiB more   `,
  ].join("  ");
}

/** In Markdown. */
export function tableOf(results: readonly FuzzResult[]): string {
  const rows = results.map((result) => {
    const { target, inputs, found, code, growth } = result;
    const kibibytes = (growth / 1024).toFixed(0);
    return `| \`${target}\` | ${inputs} | ${rateOf(result)} | ${found} | ` +
      `${code} | ${kibibytes} |`;
  });
  return [
    "| target | inputs | a second | that ran new code | bytes of code run | heap, KiB more |",
    "| --- | --: | --: | --: | --: | --: |",
    ...rows,
    "",
  ].join("\n");
}

function rateOf({ inputs, seconds }: FuzzResult): number {
  return Math.round(inputs / Math.max(seconds, 0.1));
}
