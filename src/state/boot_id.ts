// Id of a start of the system, as files in binary have it: by another one they
// know that what was in memory alone is gone.

/** A number for each start of the system. */
export type BootId = readonly number[];

export const BOOT_ID_WORDS = 4;

export function bootIdOf(text: string): BootId {
  const hex = text.replace(/[^0-9a-f]/g, "").padEnd(8 * BOOT_ID_WORDS, "0");
  return Array.from(
    { length: BOOT_ID_WORDS },
    (_, k) => Number.parseInt(hex.slice(8 * k, 8 * k + 8), 16),
  );
}

export function isSameBoot(words: ArrayLike<number>, boot: BootId): boolean {
  return boot.every((word, k) => word === words[k]);
}
