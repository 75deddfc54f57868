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
