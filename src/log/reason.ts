// The text of whatever was thrown, and its code.

/** In words alone: Deno adds the number that they stand for. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\)/, "");
}

/** Such as `EPERM`; Deno's errors have the same codes as ours. */
export function codeOf(error: unknown): string | undefined {
  const isCoded = error instanceof Error && "code" in error;
  return isCoded && typeof error.code === "string" ? error.code : undefined;
}
