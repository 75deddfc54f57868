/**
 * A logger for tests.
 *
 * @module
 */
import type { Logger } from "../../src/log/logger.ts";

/** Keeps every line, as `LEVEL: text`. */
export function recordingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (text: string) => {
    lines.push(`${level}: ${text}`);
  };
  return {
    lines,
    error: at("ERROR"),
    warning: at("WARNING"),
    notice: at("NOTICE"),
    info: at("INFO"),
    debug: at("DEBUG"),
  };
}
