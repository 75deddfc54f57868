/**
 * What a run has found: every figure, medians and ratios.
 *
 * @module
 */

import type { Environment } from "./environment.ts";
import type { Metric } from "./scenario.ts";
import { advantage, median, type Modes, twoModes } from "./statistics.ts";
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
  /** What it said of its data plane and engine, or was told to use. */
  readonly settings?: string;
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

/** The least and the greatest of some values. */
export type Range = readonly [least: number, greatest: number];

/** The same of ranges. */
export type Ranges = Readonly<Record<string, Readonly<Record<string, Range>>>>;

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
  /** The least and the greatest of all rounds. */
  readonly ranges: Ranges;
  /**
   * How many times better the reference is; below 1 it is worse. The median of
   * the ratios within each round.
   */
  readonly ratios: Figures;
  /** Subjects whose TCP throughput gathers in two places. */
  readonly modes: Readonly<Record<string, Modes>>;
  readonly directions: readonly Direction[];
  readonly samples: readonly Sample[];
}

/** The median of each subject's samples of each metric. */
export function medians(samples: readonly Sample[]): Figures {
  return mapCells(gather(samples), (values) => median([...values.values()]));
}

/** The least and the greatest of each subject's samples of each metric. */
export function ranges(samples: readonly Sample[]): Ranges {
  return mapCells(gather(samples), (values): Range => {
    const all = [...values.values()];
    return [Math.min(...all), Math.max(...all)];
  });
}

/**
 * How many times better the reference is than each subject: the median of the
 * rounds that have a figure of both, since whatever else the machine did in a
 * round has hit both alike.
 */
export function ratios(
  samples: readonly Sample[],
  metrics: readonly Metric[],
  reference: string,
): Figures {
  const cells = gather(samples);
  const ours = cells[reference] ?? {};
  const result: Record<string, Record<string, number>> = {};
  for (const [subject, theirs] of Object.entries(cells)) {
    const row: Record<string, number> = result[subject] = {};
    for (const { id, better } of metrics) {
      const found = paired(ours[id], theirs[id]).map(([our, their]) =>
        advantage(our, their, better)
      );
      if (found.length > 0) row[id] = median(found);
    }
  }
  return result;
}

type Rounds = ReadonlyMap<number, number>;

/** The figures of those rounds that have both. */
export function paired(
  ours: Rounds = new Map(),
  theirs: Rounds = new Map(),
): [our: number, their: number][] {
  return [...ours].flatMap(([round, our]): [number, number][] => {
    const their = theirs.get(round);
    return their === undefined ? [] : [[our, their]];
  });
}

/** All figures by subject, metric and round. */
export function gather(
  samples: readonly Sample[],
): Record<string, Record<string, Map<number, number>>> {
  const cells: Record<string, Record<string, Map<number, number>>> = {};
  for (const { subject, metric, round, value } of samples) {
    ((cells[subject] ??= {})[metric] ??= new Map()).set(round, value);
  }
  return cells;
}

/** How far apart, as a factor, two modes of throughput have to be. */
const MODES_APART = 1.4;

/** With fewer figures than that, any two of them make two places. */
const MODES_LEAST = 4;

/** A figure that stands alone is no place where others gather. */
const MODE_LEAST = 2;

/** The subjects whose TCP throughput, of both ways, gathers in two places. */
export function modes(
  samples: readonly Sample[],
  subjects: readonly Measured[],
): Record<string, Modes> {
  const cells = gather(samples);
  // Both ways of a mixed pair are two things.
  const alike = subjects.filter(({ pair }) => pair === undefined);
  const found = alike.map(({ id }) => {
    const values = ["tcp.forward.gbps", "tcp.reverse.gbps"]
      .flatMap((metric) => [...cells[id]?.[metric]?.values() ?? []]);
    const enough = values.length >= MODES_LEAST;
    return [id, enough ? twoModes(values, MODES_APART) : undefined] as const;
  });
  return Object.fromEntries(
    found.flatMap(([subject, two]) => {
      if (two === undefined) return [];
      const { lowCount, highCount } = two;
      return Math.min(lowCount, highCount) < MODE_LEAST ? [] : [[subject, two]];
    }),
  );
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

function mapCells<T, U>(
  table: Readonly<Record<string, Readonly<Record<string, T>>>>,
  map: (value: T) => U,
): Record<string, Record<string, U>> {
  const row = (cells: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(cells).map(([id, value]) => [id, map(value)]),
    );
  return Object.fromEntries(
    Object.entries(table).map(([subject, cells]) => [subject, row(cells)]),
  );
}
