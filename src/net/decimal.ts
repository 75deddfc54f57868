// Decimal numbers as people and peers write them.

/** The largest number of 16 bits, such as a port or a mux. */
export const U16_MAX = 0xffff;
export const U32_MAX = 0xffffffff;

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
