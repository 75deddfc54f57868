// Log lines as the original writes them (CLI section 6), and as JSON.
import type { LevelName } from "./level.ts";
import type { LogFields } from "./logger.ts";
import { visibleJson } from "./visible.ts";

export const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

/** `2026-Nov-22 12:23:22 NOTICE: text`, in local time. */
export function formatLine(when: Date, level: LevelName, text: string): string {
  const date = [
    when.getFullYear(),
    MONTHS[when.getMonth()],
    twoDigits(when.getDate()),
  ].join("-");
  const time = [when.getHours(), when.getMinutes(), when.getSeconds()]
    .map(twoDigits).join(":");
  return `${date} ${time} ${formatUndated(when, level, text)}`;
}

/** For whoever has a clock, and writes the time beside each line. */
export function formatUndated(
  _when: Date,
  level: LevelName,
  text: string,
): string {
  return `${level.toUpperCase()}: ${escapeControls(text)}\n`;
}

export function formatJsonLine(
  when: Date,
  level: LevelName,
  text: string,
  fields?: LogFields,
): string {
  const line = { time: when.toISOString(), level, message: text, ...fields };
  return `${visibleJson(line)}\n`;
}

export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/**
 * Shows control and format characters, line separators and lone surrogates as
 * `\n`, `\x1b` or `\u{202e}`: text from outside can neither forge a line nor
 * steer a terminal.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === "\n") return "\\n";
    const hex = character.codePointAt(0)?.toString(16) ?? "";
    return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}
