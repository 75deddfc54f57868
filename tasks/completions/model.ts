// Offers of shells for each program: its options and their values.
import { namesOf, type Option } from "../../src/config/option.ts";
import { PROGRAMS } from "../../src/config/programs.ts";
import { TABLES } from "../../man/programs.ts";

/** Where else than from a list the values of an option come. */
export type Source =
  | "file"
  | "folder"
  | "user"
  | "group"
  | "host"
  | "interface"
  | "tunnel"
  | "running"
  | "action";

export interface Offer {
  /** With dashes, the short one first. */
  readonly names: readonly string[];
  readonly about: string;
  /** What stands for its value; undefined where it has none. */
  readonly argument: string | undefined;
  readonly choices: readonly string[];
  readonly source: Source | undefined;
  readonly repeated: boolean;
  /** Whether it may be taken back, by `=false` behind its name. */
  readonly isFlag: boolean;
}

export interface ProgramOffers {
  readonly name: string;
  /** The word that stands for it behind `anytun`; undefined for that itself. */
  readonly word: string | undefined;
  readonly about: string;
  readonly offers: readonly Offer[];
  /** Of the words that are no options, if it takes some. */
  readonly words: Source | undefined;
}

/** Words behind `anytun` that are no programs. */
export const OTHER_WORDS = {
  help: "print what options there are",
  version: "print the version",
} as const;

const SOURCES: Readonly<Record<string, Source>> = {
  "file": "file",
  "folder": "folder",
  "user": "user",
  "group": "group",
  "host": "host",
  "device": "interface",
};

/** Of `anytun fleet`, in front of a name. */
export const FLEET_ACTIONS = "add list remove rotate";

/** Programs that take words besides options. */
const WORDS: Readonly<Record<string, Source>> = {
  "anytun-status": "running",
  "anytun-fleet": "action",
  "anytun-health": "running",
  "anytun-drain": "running",
  "anytun-undrain": "running",
  "anytun-withdraw": "tunnel",
  "anytun-check": "tunnel",
  "anytun-show-config": "tunnel",
};

/** Those whose argument does not say it. */
const SOURCES_BY_NAME: Readonly<Record<string, Source>> = {
  "--config": "tunnel",
  "--dev": "interface",
};

export function allPrograms(): readonly ProgramOffers[] {
  return Object.entries(PROGRAMS).map(([name, about]) => {
    const table = TABLES[name as keyof typeof PROGRAMS];
    const [, word] = name.split(/-(.*)/s);
    const offers = Object.values(table).map(offerOf);
    return { name, word, about, offers, words: WORDS[name] };
  });
}

/** Options without a value of any program, which take `=false`. */
export function allFlags(programs: readonly ProgramOffers[]): string[] {
  const flags = programs.flatMap(({ offers }) =>
    offers.filter(({ isFlag }) => isFlag).flatMap(({ names }) =>
      names.slice(-1)
    )
  );
  return [...new Set(flags)].toSorted();
}

function offerOf(option: Option): Offer {
  const hasValue = "argument" in option;
  return {
    names: namesOf(option),
    about: shortened(option.help),
    argument: hasValue ? option.argument : undefined,
    choices: hasValue ? option.choices ?? [] : [],
    source: hasValue
      ? SOURCES_BY_NAME[option.long] ?? SOURCES[option.argument]
      : undefined,
    repeated: option.kind === "repeated",
    isFlag: option.kind === "flag",
  };
}

/** What fits beside a name: no values, conditions or defaults. */
function shortened(help: string): string {
  const text = help.replace(/^with --[\w-]+: /, "");
  return text.split(/[:;] | \(|, such as/)[0] ?? text;
}
