/**
 * The value of `--log` (CLI section 6).
 *
 * @module
 */
import type { LogLevel } from "../log/level.ts";
import type { LogTarget } from "../log/target.ts";
import { BadValue } from "./option.ts";

const DEFAULT_FILE = "anytun.log";

/**
 * Reads `<target>:<level>[,<parameter>…]`. Parameters that a target has no
 * use for are ignored, as in the original.
 *
 * @throws {BadValue} with the offsets of the original for its syntax errors
 */
export function logTarget(text: string): LogTarget {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new BadValue("a target and a level, such as stdout:3", 0);
  }
  const kind = text.slice(0, colon);
  const [, digits = "", junk = "", parameters = ""] =
    /^(\d*)([^,]*),?(.*)$/s.exec(text.slice(colon + 1)) ?? [];
  if (digits === "" || junk !== "") {
    const expected = "a level from 0 (nothing) to 5 (debug) after the colon";
    throw new BadValue(expected, colon + 1 + digits.length);
  }
  const level = Math.min(Number(digits), 5) as LogLevel;
  const [first] = parameters.split(",");
  switch (kind) {
    case "stdout":
    case "stderr":
      return { kind, level };
    case "file":
      return { kind, level, path: first || DEFAULT_FILE };
    case "syslog":
      throw new BadValue("stdout, stderr or file: syslog is not there yet");
    default:
      throw new BadValue("one of the targets stdout, stderr and file");
  }
}
