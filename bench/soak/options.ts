/**
 * The command line of the soak.
 *
 * @module
 */

import { parseArgs } from "node:util";

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
  const seconds = minutes === undefined
    ? 3600 * positive("hours", hours, USUAL_HOURS)
    : 60 * positive("minutes", minutes, 0);
  return { help, seconds, binary, markdown };
}

function positive(
  name: string,
  text: string | undefined,
  usual: number,
): number {
  if (text === undefined) return usual;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new Error(
    `Cannot use --${name}: current value is ${text}, expected a number from 1 to 9999`,
  );
}
