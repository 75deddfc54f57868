// Config files of Debian's anytun: one option a line, by its long name without
// the dashes (CLI section 9).
import type { FileEntry } from "./file_entry.ts";
import { linesIn } from "./file_text.ts";

/**
 * Reads lines as the package's launcher does: whatever follows a `#` is a
 * comment, and blanks separate an option from its value, which has none.
 */
export function readLines(text: string): readonly FileEntry[] {
  return linesIn(text).flatMap((whole, index) => entryOf(whole, index + 1));
}

function entryOf(whole: string, line: number): readonly FileEntry[] {
  const words = (whole.split("#")[0] ?? "").matchAll(/[^ \t]+/g);
  const [key, value, third] = [...words.take(3)].map((match) => ({
    text: match[0],
    line,
    column: [...whole.slice(0, match.index)].length + 1,
  }));
  if (key === undefined) return [];
  const { column } = key;
  return [{
    ...{ line, column, key: key.text },
    value: value === undefined
      ? { kind: "none" }
      : { kind: "scalar", scalar: { ...value, isQuoted: false } },
    faults: third === undefined ? [] : [{
      ...{ line, column: third.column },
      text: "there is more than one value: an option and its value are all " +
        "that a line can have, and a value has no blanks",
    }],
  }];
}
