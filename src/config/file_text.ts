// Bytes of a config file as text, or the place where they are none.
import { FormatFault, type Spot } from "./file_entry.ts";

/** As in YAML (YAML 1.2 section 5.4), and so in Debian's files. */
const LINE_END = /\r\n|\r|\n/;

/**
 * A byte order mark at the beginning stays, and does not count.
 * @throws {FormatFault} where it is no text, or has a NUL
 */
export function textIn(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    const nul = text.indexOf("\0");
    if (nul < 0) return text;
    throw new FormatFault("there is a NUL byte", endOf(text.slice(0, nul)));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const good = bytes.subarray(0, lengthOfGood(bytes));
    // As a stream: a character that is cut off does not count.
    const text = new TextDecoder().decode(good, { stream: true });
    throw new FormatFault("this is no UTF-8 text", endOf(text));
  }
}

/** Without the byte order mark, and the ends of lines. */
export function linesIn(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(LINE_END);
}

/** How many bytes at the beginning are UTF-8, as whole characters. */
function lengthOfGood(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isGood(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

/** A character that is cut off at the end is good so far. */
function isGood(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function endOf(text: string): Spot {
  const lines = linesIn(text);
  const column = [...(lines.at(-1) ?? "")].length + 1;
  return { line: lines.length, column };
}
