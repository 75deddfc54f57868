/**
 * The command line of the hostile measurement.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { names, positive } from "../tunnel/options.ts";

/** What `--help` prints. */
export const USAGE = `USAGE: deno task bench:hostile [options]   (as root)
  --seconds <n>         length of each copy (3)
  --pause <n>           how long programs are stopped and links are down (20)
  --only <a,b>          only these programs
  --scenario <x,y>      only these scenarios
  --case <text>         only cases with this in their name
  --peers <folder>      where bench/fetch_peers.sh has put peers; those that are
                        not there are taken from the PATH
  --markdown            print the tables of the last complete run, and end
  --help                this text
`;

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly markdown: boolean;
  readonly seconds: number;
  readonly pauseSeconds: number;
  /** Ids of the contenders wanted; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Names of the scenarios wanted; undefined for all. */
  readonly scenarios: readonly string[] | undefined;
  /** What the names of wanted cases hold. */
  readonly part: string;
  readonly peers: string | undefined;
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
      help: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      seconds: { type: "string" },
      pause: { type: "string" },
      only: { type: "string" },
      scenario: { type: "string" },
      case: { type: "string", default: "" },
      peers: { type: "string" },
    },
  });
  const seconds = positive("seconds", values.seconds) ?? USUAL_SECONDS;
  const pauseSeconds = positive("pause", values.pause) ?? USUAL_PAUSE;
  const only = names("only", values.only, contenders);
  const wanted = names("scenario", values.scenario, scenarios);
  const all = only === undefined && wanted === undefined && values.case === "";
  return {
    ...{ help: values.help, markdown: values.markdown },
    ...{ seconds, pauseSeconds, only, scenarios: wanted },
    ...{ part: values.case, peers: values.peers },
    complete: all && seconds >= USUAL_SECONDS && pauseSeconds >= USUAL_PAUSE,
  };
}
