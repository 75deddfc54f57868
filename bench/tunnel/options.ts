/**
 * The command line of the measurement.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** What `--help` prints. */
export const USAGE = `USAGE: deno task bench:tunnel [options]   (as root)
  --rounds <n>          rounds in which all programs take turns (5)
  --seconds <n>         length of each transfer (2)
  --quick               one round of transfers of one second
  --only <a,b>          only these programs
  --scenario <x,y>      only these scenarios
  --peers <folder>      where bench/fetch_peers.sh has put peers; those that are
                        not there are taken from the PATH
  --help                this text
`;

/** The settings whose results are kept for the README, and the usual ones. */
const COMPLETE = { rounds: 5, seconds: 2 };

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly rounds: number;
  /** Seconds of each transfer. */
  readonly seconds: number;
  /** Ids of the subjects wanted; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Names of the scenarios wanted; undefined for all. */
  readonly scenarios: readonly string[] | undefined;
  /** The folder that peers were unpacked into; undefined for none. */
  readonly peers: string | undefined;
  /** Whether results are good enough to be kept for the README. */
  readonly complete: boolean;
}

/** Reads the number of an option. */
export function positive(
  name: string,
  value: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new Error(
    `Cannot use --${name}: current value is ${value}, expected a number from 1 to 9999`,
  );
}

/** Reads the list of an option. */
export function names(
  option: string,
  value: string | undefined,
  known: readonly string[],
): string[] | undefined {
  const list = value?.split(",");
  const unknown = list?.find((name) => !known.includes(name));
  if (unknown === undefined) return list;
  throw new Error(
    `Cannot use --${option}: current value is ${unknown}, expected some of ${
      known.join(",")
    }`,
  );
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
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      scenario: { type: "string" },
      peers: { type: "string" },
    },
  });
  const usual = values.quick ? { rounds: 1, seconds: 1 } : COMPLETE;
  const rounds = positive("rounds", values.rounds) ?? usual.rounds;
  const seconds = positive("seconds", values.seconds) ?? usual.seconds;
  const only = names("only", values.only, subjects);
  const wanted = names("scenario", values.scenario, scenarios);
  const complete = rounds >= COMPLETE.rounds &&
    seconds >= COMPLETE.seconds && only === undefined && wanted === undefined;
  return {
    help: values.help,
    rounds,
    seconds,
    only,
    scenarios: wanted,
    peers: values.peers,
    complete,
  };
}
