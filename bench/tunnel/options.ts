/**
 * The command line of the measurement.
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  type Choice,
  CHOICE_USAGE,
  positive,
  readChoice,
  SHARED_OPTIONS,
} from "../options.ts";

/** What `--help` prints. */
export const USAGE = `USAGE: deno task bench:tunnel [options]   (as root)
  --rounds <n>          rounds in which all programs take turns (5)
  --seconds <n>         length of each transfer (2)
  --quick               one round of transfers of one second
${CHOICE_USAGE}  --help                this text
`;

/** The settings whose results are kept for the README, and the usual ones. */
const COMPLETE = { rounds: 5, seconds: 2 };

/** What the command line asks for. */
export interface Options extends Choice {
  readonly help: boolean;
  readonly rounds: number;
  /** Seconds of each transfer. */
  readonly seconds: number;
  /** Whether results are good enough to be kept for the README. */
  readonly complete: boolean;
}

/**
 * Reads the command line.
 *
 * @param subjects the ids that `--only` may name
 * @param scenarios the names that `--scenario` may name
 * @throws {Error} naming the option, its value and what would be right
 */
export function parseOptions(
  argv: readonly string[],
  subjects: readonly string[],
  scenarios: readonly string[],
): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...SHARED_OPTIONS,
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
    },
  });
  const usual = values.quick ? { rounds: 1, seconds: 1 } : COMPLETE;
  const rounds = positive("rounds", values.rounds) ?? usual.rounds;
  const seconds = positive("seconds", values.seconds) ?? usual.seconds;
  const choice = readChoice(values, subjects, scenarios);
  const isWhole = choice.only === undefined && choice.scenarios === undefined;
  const complete = isWhole && rounds >= COMPLETE.rounds &&
    seconds >= COMPLETE.seconds;
  return { ...choice, help: values.help, rounds, seconds, complete };
}
