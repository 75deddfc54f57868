// Decimal numbers as people and peers write them.

/** Digits and nothing else; undefined for any other text and out of range. */
export function parseDecimal(
  text: string,
  min: number,
  max: number,
): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
