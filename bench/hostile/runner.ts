/**
 * Takes all contenders through all cases.
 *
 * @module
 */

import { TestFolder } from "../../lab/daemons.ts";
import { HostileLab } from "../../lab/hostile_lab.ts";
import type { Tunnel } from "../tunnel/tunnel.ts";
import type { Contender } from "./contender.ts";
import { type Cell, cellText } from "./report.ts";
import type { Bench, Case, Outcome, Scenario } from "./scenario.ts";
import { Traffic } from "./traffic.ts";

/** What came of all cases. */
interface Run {
  readonly cells: readonly Cell[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** What to run. */
export interface Plan {
  readonly contenders: readonly Contender[];
  readonly scenarios: readonly Scenario[];
  readonly seconds: number;
  readonly pauseSeconds: number;
  /** What the names of wanted cases hold. */
  readonly part: string;
  readonly signal: AbortSignal;
  progress(line: string): void;
}

/**
 * Runs all cases, each in a lab of its own: case by case, so that whatever else
 * the machine does hits all contenders alike.
 *
 * @throws the reason of the plan's signal
 */
export async function runAll(plan: Plan): Promise<Run> {
  const cells: Cell[] = [];
  const failures: string[] = [];
  for (const scenario of plan.scenarios) {
    const fitting = plan.contenders.filter(({ window = 0 }) =>
      window === 0 || scenario.windows
    );
    for (const one of scenario.cases) {
      if (!one.name.includes(plan.part)) continue;
      for (const contender of fitting) {
        if (one.without?.(contender)) continue;
        const { name } = scenario;
        const title = `${name}, ${one.name}, ${contender.label}`;
        const outcome = await runCase(plan, one, contender);
        if (typeof outcome === "string") {
          failures.push(`${title}: ${outcome}`);
          plan.progress(`${title}: failed: ${outcome}`);
          continue;
        }
        plan.progress(`${title}: ${cellText(outcome, scenario.figures)}`);
        const place = { case: one.name, contender: contender.id };
        cells.push({ scenario: name, ...place, ...outcome });
      }
    }
  }
  return { cells, failures };
}

/** @returns Why it could not be measured, if so. */
async function runCase(
  plan: Plan,
  one: Case,
  contender: Contender,
): Promise<Outcome | string> {
  const { seconds, pauseSeconds, signal } = plan;
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = () => reject(signal.reason);
  signal.addEventListener("abort", interrupt);
  using scratch = new TestFolder();
  await using lab = await HostileLab.open(`h-${Deno.pid}`);
  let tunnel: Tunnel | undefined;
  const open: Bench["open"] = async (options, through) =>
    tunnel = await contender.open(options, through)(lab, scratch);
  const traffic = new Traffic(lab, seconds);
  const bench = { lab, contender, scratch, traffic, pauseSeconds, open };
  try {
    return await Promise.race([interrupted, one.run(bench)]);
  } catch (error) {
    signal.throwIfAborted();
    const note = tunnel?.obituary;
    if (note !== undefined) return { survived: false, figures: {}, note };
    return error instanceof Error ? error.message : String(error);
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}
