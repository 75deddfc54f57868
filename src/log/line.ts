/**
 * A log line as the original writes it (CLI section 6).
 *
 * @module
 */
import type { LevelName } from "./level.ts";

/** Months as log lines abbreviate them, whatever the locale. */
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

/**
 * Formats `2026-Nov-22 12:23:22 NOTICE: text` and a newline, in local time.
 * Nothing in the text can begin another line.
 */
export function formatLine(when: Date, level: LevelName, text: string): string {
  const date = [
    when.getFullYear(),
    MONTHS[when.getMonth()],
    twoDigits(when.getDate()),
  ].join("-");
  const time = [when.getHours(), when.getMinutes(), when.getSeconds()]
    .map(twoDigits).join(":");
  return `${date} ${time} ${level.toUpperCase()}: ${escapeControls(text)}\n`;
}

/** Formats one JSON object with time, level and message, and a newline. */
export function formatJsonLine(
  when: Date,
  level: LevelName,
  text: string,
): string {
  const line = { time: when.toISOString(), level, message: text };
  return `${JSON.stringify(line)}\n`;
}

/** A number below 100 with two digits. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/**
 * Shows control and format characters, line separators and halves of
 * surrogate pairs as `\n`, `\x1b` or `\u{202e}`, so that text from outside can
 * neither forge a line nor steer a terminal.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === "\n") return "\\n";
    const hex = character.codePointAt(0)?.toString(16) ?? "";
    return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}
