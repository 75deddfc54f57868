/**
 * Options that measurements have in common.
 *
 * @module
 */

/** What `--help` prints of {@link SHARED_OPTIONS} that choose. */
export const CHOICE_USAGE = `  --only <a,b>          only these programs
  --scenario <x,y>      only these scenarios
  --peers <folder>      where bench/fetch_peers.sh has put peers; those that are
                        not there are taken from the PATH
`;

/** For `parseArgs()`. */
export const SHARED_OPTIONS = {
  help: { type: "boolean", default: false },
  seconds: { type: "string" },
  only: { type: "string" },
  scenario: { type: "string" },
  peers: { type: "string" },
} as const;

/** What is to be measured. */
export interface Choice {
  /** Ids of the programs wanted; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Names of the scenarios wanted; undefined for all. */
  readonly scenarios: readonly string[] | undefined;
  /** The folder that peers were unpacked into; undefined for none. */
  readonly peers: string | undefined;
}

/**
 * Reads what is to be measured.
 *
 * @param programs the ids that `--only` may name
 * @param scenarios the names that `--scenario` may name
 * @throws {Error} naming the option, its value and what would be right
 */
export function readChoice(
  { only, scenario, peers }: {
    readonly only?: string;
    readonly scenario?: string;
    readonly peers?: string;
  },
  programs: readonly string[],
  scenarios: readonly string[],
): Choice {
  return {
    only: names("only", only, programs),
    scenarios: names("scenario", scenario, scenarios),
    peers,
  };
}

/** Reads the number of an option. */
export function positive(
  name: string,
  value: string | undefined,
  most = 9999,
): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value) && Number(value) <= most) {
    return Number(value);
  }
  throw new Error(
    `Cannot use --${name}: current value is ${value}, expected a number from 1 to ${most}`,
  );
}

function names(
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
