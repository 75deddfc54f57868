/**
 * The few statistics of the report.
 *
 * @module
 */

/** Whether more or less of a metric is better. */
export type Better = "higher" | "lower";

/**
 * The value at a quantile by nearest rank: the smallest value that at least
 * `share` of all values do not exceed.
 *
 * @param share 0 < share <= 1, for example 0.99
 * @throws {RangeError} if there are no values
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
  if (value === undefined) {
    throw new RangeError("Cannot take a quantile: there are no values");
  }
  return value;
}

/**
 * The median; of an even number of values the mean of the middle two.
 *
 * @throws {RangeError} if there are no values
 */
export function median(values: readonly number[]): number {
  const lower = quantile(values, 0.5);
  if (values.length % 2 === 1) return lower;
  const sorted = values.toSorted((a, b) => a - b);
  return (lower + (sorted[values.length / 2] ?? lower)) / 2;
}

/**
 * The arithmetic mean.
 *
 * @throws {RangeError} if there are no values
 */
export function mean(values: readonly number[]): number {
  if (values.length === 0) {
    throw new RangeError("Cannot take a mean: there are no values");
  }
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many times better `ours` is than `theirs`; below 1 it is worse. */
export function advantage(
  ours: number,
  theirs: number,
  better: Better,
): number {
  return better === "higher" ? ours / theirs : theirs / ours;
}

/** Values that gather in two places. */
export interface Modes {
  /** The medians of both. */
  readonly low: number;
  readonly high: number;
  /** How many values there are of each. */
  readonly lowCount: number;
  readonly highCount: number;
}

/**
 * Divides values in two so that the squares of what is left of each half
 * around its mean are least (one-dimensional 2-means).
 *
 * @returns undefined where the halves are no two modes: the upper one is not
 * `apart` times the lower one, or there are fewer than two values
 */
export function twoModes(
  values: readonly number[],
  apart: number,
): Modes | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const cuts = sorted.slice(1).map((_, index) => index + 1);
  const scatter = (part: readonly number[]) => {
    const center = mean(part);
    return part.reduce((sum, value) => sum + (value - center) ** 2, 0);
  };
  const cost = (cut: number) =>
    scatter(sorted.slice(0, cut)) + scatter(sorted.slice(cut));
  const [best] = cuts.toSorted((a, b) => cost(a) - cost(b));
  if (best === undefined) return undefined;
  const [lower, upper] = [sorted.slice(0, best), sorted.slice(best)];
  const [low, high] = [median(lower), median(upper)];
  if (high < low * apart) return undefined;
  return { low, high, lowCount: lower.length, highCount: upper.length };
}
