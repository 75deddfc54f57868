/**
 * The command line of the hostile measurement.
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
export const USAGE = `USAGE: deno task bench:hostile [options]   (as root)
  --seconds <n>         length of each copy (3)
  --pause <n>           how long programs are stopped and links are down (20)
${CHOICE_USAGE}  --case <text>         only cases with this in their name
  --join                put the tables of --scenario among those of the last
                        complete run, on the same machine
  --markdown            print the tables of the last complete run, and end
  --help                this text
`;

/** What the command line asks for. */
export interface Options extends Choice {
  readonly help: boolean;
  readonly markdown: boolean;
  /** Whether tables take the place of those of the last complete run. */
  readonly join: boolean;
  readonly seconds: number;
  readonly pauseSeconds: number;
  /** What the names of wanted cases hold. */
  readonly part: string;
  /** Whether results are good enough to be kept. */
  readonly complete: boolean;
}

const USUAL_SECONDS = 3;
const USUAL_PAUSE = 20;

/**
 * Reads the command line.
 *
 * @throws {Error} naming the option, its value and what would be right
 */
export function parseOptions(
  argv: readonly string[],
  contenders: readonly string[],
  scenarios: readonly string[],
): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...SHARED_OPTIONS,
      markdown: { type: "boolean", default: false },
      join: { type: "boolean", default: false },
      pause: { type: "string" },
      case: { type: "string", default: "" },
    },
  });
  const seconds = positive("seconds", values.seconds) ?? USUAL_SECONDS;
  const pauseSeconds = positive("pause", values.pause) ?? USUAL_PAUSE;
  const choice = readChoice(values, contenders, scenarios);
  const isWhole = choice.only === undefined &&
    choice.scenarios === undefined && values.case === "";
  if (values.join && (choice.only !== undefined || values.case !== "")) {
    throw new Error("Cannot use --join: --only and --case leave tables half");
  }
  return {
    join: values.join,
    ...{ ...choice, help: values.help, markdown: values.markdown },
    ...{ seconds, pauseSeconds, part: values.case },
    complete: isWhole && seconds >= USUAL_SECONDS &&
      pauseSeconds >= USUAL_PAUSE,
  };
}
