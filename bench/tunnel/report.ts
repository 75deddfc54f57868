/**
 * What a run has found: every figure, medians and ratios.
 *
 * @module
 */

import type { Environment } from "./environment.ts";
import type { Metric } from "./scenario.ts";
import { advantage, median } from "./statistics.ts";
import type { Pair } from "./subject.ts";

/** One figure of one round. */
export interface Sample {
  readonly subject: string;
  readonly round: number;
  readonly metric: string;
  readonly value: number;
}

/** A measurement that did not come to its end. */
export interface Failure {
  readonly subject: string;
  readonly round: number;
  readonly scenario: string;
  readonly reason: string;
}

/** Something that was not measured at all. */
export interface Omission {
  readonly name: string;
  readonly reason: string;
}

/** A subject that was measured. */
export interface Measured {
  readonly id: string;
  readonly label: string;
  readonly version: string;
  readonly ours?: true;
  readonly pair?: Pair;
  /** What it said of its data plane and engine. */
  readonly plane?: string;
}

/** TCP from one program to another. */
export interface Direction {
  readonly sender: string;
  readonly receiver: string;
  readonly gbps: number;
  /** CPU seconds per GB of the sending daemon. */
  readonly senderCpu: number;
  /** CPU seconds per GB of the receiving daemon. */
  readonly receiverCpu: number;
  /** How many times as fast as the right program is with itself. */
  readonly ratio: number | undefined;
}

/** Values by subject and metric. */
export type Figures = Readonly<
  Record<string, Readonly<Record<string, number>>>
>;

/** Everything that goes into the JSON file. */
export interface Report {
  readonly environment: Environment;
  readonly rounds: number;
  /** Seconds of each transfer. */
  readonly seconds: number;
  readonly subjects: readonly Measured[];
  readonly metrics: readonly Metric[];
  readonly omissions: readonly Omission[];
  readonly failures: readonly Failure[];
  /** The id of the subject that ratios compare with. */
  readonly reference: string;
  /** The median of all rounds. */
  readonly medians: Figures;
  /** How many times better the reference is; below 1 it is worse. */
  readonly ratios: Figures;
  readonly directions: readonly Direction[];
  readonly samples: readonly Sample[];
}

/** The median of each subject's samples of each metric. */
export function medians(samples: readonly Sample[]): Figures {
  const values: Record<string, Record<string, number[]>> = {};
  for (const { subject, metric, value } of samples) {
    ((values[subject] ??= {})[metric] ??= []).push(value);
  }
  return mapFigures(values, median);
}

/** How many times better the reference is than each subject. */
export function ratios(
  figures: Figures,
  metrics: readonly Metric[],
  reference: string,
): Figures {
  const ours = figures[reference] ?? {};
  const result: Record<string, Record<string, number>> = {};
  for (const [subject, theirs] of Object.entries(figures)) {
    const row: Record<string, number> = result[subject] = {};
    for (const { id, better } of metrics) {
      const [our, their] = [ours[id], theirs[id]];
      if (our === undefined || their === undefined) continue;
      row[id] = advantage(our, their, better);
    }
  }
  return result;
}

/** Both directions of each mixed pair. */
export function directions(
  figures: Figures,
  subjects: readonly Measured[],
): Direction[] {
  return subjects.flatMap(({ id, pair }) => {
    if (pair === undefined) return [];
    return [
      direction(figures, id, "forward", pair),
      direction(figures, id, "reverse", pair),
    ].filter((found) => found !== undefined);
  });
}

function direction(
  figures: Figures,
  subject: string,
  way: "forward" | "reverse",
  { left, right }: Pair,
): Direction | undefined {
  const figure = (of: string, name: string) =>
    figures[of]?.[`tcp.${way}.${name}`];
  const gbps = figure(subject, "gbps");
  const leftCpu = figure(subject, "cpu.left");
  const rightCpu = figure(subject, "cpu.right");
  if (gbps === undefined || leftCpu === undefined || rightCpu === undefined) {
    return undefined;
  }
  const alone = figure(right, "gbps");
  const ratio = alone === undefined ? undefined : gbps / alone;
  return way === "forward"
    ? {
      sender: left,
      receiver: right,
      gbps,
      senderCpu: leftCpu,
      receiverCpu: rightCpu,
      ratio,
    }
    : {
      sender: right,
      receiver: left,
      gbps,
      senderCpu: rightCpu,
      receiverCpu: leftCpu,
      ratio,
    };
}

function mapFigures<T>(
  table: Readonly<Record<string, Readonly<Record<string, T>>>>,
  map: (value: T) => number,
): Figures {
  const row = (cells: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(cells).map(([id, value]) => [id, map(value)]),
    );
  return Object.fromEntries(
    Object.entries(table).map(([subject, cells]) => [subject, row(cells)]),
  );
}
