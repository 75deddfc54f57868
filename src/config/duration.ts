// Durations as people write them: 3600, 90m, 1h, 2d.
import { parseDecimal } from "../net/decimal.ts";
import { BadValue } from "./option.ts";

/** In seconds. */
export const DAY = 86_400;

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", DAY],
]);

/** A parser of durations, in seconds. */
export function duration(min: number, max: number): (text: string) => number {
  return (text) => {
    const [, digits = "", unit = ""] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
    const seconds = (parseDecimal(digits, 0, max) ?? NaN) *
      (UNITS.get(unit) ?? NaN);
    if (seconds >= min && seconds <= max) return seconds;
    throw new BadValue(
      `a duration from ${durationOption(min)} to ${
        durationOption(max)
      }, such as ` +
        "3600, 90m, 1h or 2d",
    );
  };
}

/** In the largest unit that it is a multiple of. */
export function durationOption(seconds: number): string {
  if (seconds === 0) return "0";
  const [unit, size] = [...UNITS].toReversed()
    .find(([, size]) => seconds % size === 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}
