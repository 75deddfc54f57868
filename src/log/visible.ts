// Foreign text for a terminal: what would act there, or hide, is shown instead.

/**
 * Control characters of both sets, format characters (which turn the direction
 * of writing), separators of lines, and halves of pairs.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export function visible(text: string): string {
  return text.replace(ACTING, escaped);
}

/** Only what a JSON string may hold as it is, JSON.stringify() leaves as it is. */
export function visibleJson(value: unknown): string {
  return visible(JSON.stringify(value));
}

/** JSON in ASCII without control characters, for messages that are only that. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, escaped);
}

function escaped(character: string): string {
  // UTF-16, as escapes of JSON are.
  return Array.from(
    { length: character.length },
    (_, k) => `\\u${character.charCodeAt(k).toString(16).padStart(4, "0")}`,
  ).join("");
}
