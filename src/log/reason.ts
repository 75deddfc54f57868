// The text of whatever was thrown.

/** In words alone: Deno adds the number that they stand for. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\)/, "");
}
