/**
 * The command line of the soak.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive } from "../options.ts";

/** What `--help` prints. */
export const USAGE = `USAGE: deno task soak [options]   (as root)
  --hours <n>     how long (2)
  --minutes <n>   how long, in minutes
  --binary        of dist/anytun instead of the source
  --markdown      print the tables of the last soak
  --help          this text
`;

const USUAL_HOURS = 2;

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly seconds: number;
  readonly binary: boolean;
  readonly markdown: boolean;
}

/**
 * Reads the command line.
 *
 * @throws {Error} naming the option, its value and what would be right
 */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean", default: false },
      hours: { type: "string" },
      minutes: { type: "string" },
      binary: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
    },
  });
  const { help, hours, minutes, binary, markdown } = values;
  if (hours !== undefined && minutes !== undefined) {
    throw new Error("Cannot use both --hours and --minutes: give one of them");
  }
  const long = positive("hours", hours) ?? USUAL_HOURS;
  const short = positive("minutes", minutes);
  const seconds = short === undefined ? 3600 * long : 60 * short;
  return { help, seconds, binary, markdown };
}
