/**
 * Decimal numbers as people and peers write them.
 *
 * @module
 */

/**
 * Reads a number that consists of decimal digits and nothing else.
 *
 * @returns undefined for any other text, and outside of `min` to `max`
 */
export function parseDecimal(
  text: string,
  min: number,
  max: number,
): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
