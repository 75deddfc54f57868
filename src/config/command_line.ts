// Command lines: from arguments to options, texts and faults.
import { readArguments } from "./arguments.ts";
import type { ConfigFiles, ConfigPlace } from "./config_place.ts";
import {
  type ConfigSource,
  NO_CONFIG_FILE,
  optionsOfFile,
} from "./config_source.ts";
import { isOutOfReach, OptionFault, SyntaxFault, type Warn } from "./fault.ts";
import { type HelpSection, helpText } from "./help.ts";
import type { OptionTable } from "./option.ts";
import { callOf, type ProgramName } from "./programs.ts";
import { type InForce, type Reading, readingOf } from "./reading.ts";
import {
  type GivenValues,
  type Settings,
  settingsOf,
  withoutReplaced,
} from "./values.ts";
import { type Runtime, versionText } from "./version.ts";

export interface Program<T extends OptionTable, O> {
  readonly name: ProgramName;
  readonly table: T;
  readonly sections: readonly HelpSection[];
  /** In front of the options, if it takes any, such as `[name]`. */
  readonly words?: string;
  /**
   * Of the config file of a Debian tunnel, which all programs share, the options
   * that are for this one; undefined for all.
   */
  readonly debianKeys?: readonly string[];
  /**
   * Checks values against each other.
   * @throws {SyntaxFault | OptionFault} if they do not go together
   */
  readonly settle: (settings: Settings<T>, warn: Warn, config: ReadConfig) => O;
}

/** Where options come from besides arguments. */
export interface ReadConfig {
  readonly source: ConfigSource;
  /** Undefined without `--config`. */
  readonly place: ConfigPlace | undefined;
  /** All that is given; the first one that gives an option decides. */
  readonly given: readonly GivenValues<OptionTable>[];
}

export type CommandLine<O> =
  | { readonly kind: "run" } & Reading<O>
  /** Help or version: to standard output, exit status 0. */
  | { readonly kind: "print"; readonly text: string }
  /** To standard error; standard output is for those who use a result. */
  | {
    readonly kind: "error";
    readonly stderr: string;
    readonly status: 255;
    /** Whether a file is missing, or may not be read. */
    readonly isOutOfReach?: true;
  };

/** What a program reads besides its arguments. */
interface Sources {
  /** Undefined for programs that have no config file. */
  readonly files?: ConfigFiles | undefined;
  /** While it runs. */
  readonly inForce?: InForce | undefined;
}

/**
 * Reads the arguments of a program, and the config file that they name, if they
 * do.
 */
export function readCommandLine<T extends OptionTable, O>(
  program: Program<T, O>,
  argv: readonly string[],
  runtime: Runtime,
  { files, inForce }: Sources = {},
): CommandLine<O> {
  const { name, table, sections, words, settle } = program;
  try {
    const read = readArguments(table, argv);
    switch (read.kind) {
      case "help":
        return { kind: "print", text: helpText(name, table, sections, words) };
      case "version":
        return { kind: "print", text: versionText(name, runtime) };
      case "values": {
        const found: string[] = [];
        const warn: Warn = (text) => found.push(text);
        const { settings, config } = settingsFrom(
          program,
          read.given,
          files,
          warn,
        );
        const reading = readingOf(
          table,
          settings,
          (settings, warn) => settle(settings, warn, config),
          inForce,
        );
        const warnings = [...found, ...reading.warnings];
        return { kind: "run", ...reading, warnings };
      }
    }
  } catch (error) {
    if (error instanceof SyntaxFault) {
      return faulty(`${error.message}\nsee ${callOf(name)} --help\n`);
    }
    if (error instanceof OptionFault) {
      return faulty(`${error.message}\n`, isOutOfReach(error));
    }
    throw error;
  }
}

function faulty(stderr: string, isOutOfReach = false): CommandLine<never> {
  return {
    ...{ kind: "error", stderr, status: 255 },
    ...(isOutOfReach && { isOutOfReach }),
  };
}

const NOTHING_FOUND = { sources: [], place: undefined };

interface ReadSettings<T extends OptionTable> {
  readonly settings: Settings<T>;
  readonly config: ReadConfig;
}

/**
 * Default, file, argument: the latter ones prevail.
 * @throws {OptionFault} if the file is of no use
 */
function settingsFrom<T extends OptionTable>(
  { table, debianKeys }: Pick<Program<T, unknown>, "table" | "debianKeys">,
  given: GivenValues<T>,
  files: ConfigFiles | undefined,
  warn: Warn,
): ReadSettings<T> {
  const { sources, place } = files === undefined
    ? NOTHING_FOUND
    : optionsOfFile(table, given, debianKeys, files, warn);
  const source = place === undefined
    ? NO_CONFIG_FILE
    : { name: place.name, configFile: place.path };
  const all = withoutReplaced(table, [given, ...sources]);
  return {
    settings: settingsOf(table, all),
    config: { source, place, given: all },
  };
}
