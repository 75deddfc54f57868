// The options of `anytun show-config`; the original has none.
import { visibleJson } from "../log/visible.ts";
import { splitWords } from "./arguments.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
} from "./command_line.ts";
import { configFileRows } from "./config_place.ts";
import { configText } from "./config_text.ts";
import { OptionFault, SyntaxFault } from "./fault.ts";
import { generalRows } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { inspectedRow, withInspected } from "./inspected.ts";
import { flag, type OptionTable } from "./option.ts";
import type { ProgramName } from "./programs.ts";
import type { HostFiles } from "./host_files.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text. */
export const showConfigTable = {
  ...generalRows,
  ...configFileRows,
  for: inspectedRow,
  explain: flag({
    group: "General",
    long: "--explain",
    help: "explain each option",
  }),
};

const sections: readonly HelpSection[] = [
  {
    title: "A name in front of the options",
    lines: ["vpn  the same as --config vpn"],
  },
  {
    title: "After that, any option of that program",
    lines: ["anytun show-config vpn --mtu 1300"],
  },
  {
    title: "Exit status",
    lines: [
      "0    all is well",
      "255  the program would refuse to start; a message says why",
    ],
  },
];

interface ShownConfig {
  /** YAML, with a line end. */
  readonly text: string;
  /** Why the program would not start, if it would not. */
  readonly fault: string | undefined;
}

/** Touches nothing outside but the files that a start would read. */
export function readShowConfigCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
): CommandLine<ShownConfig> {
  const [names, options] = splitWords(argv);
  const own = options.filter((word, index) =>
    isCall(word) || isFor(word) || isFor(options[index - 1] ?? "")
  );
  const others = options.filter((word, index) =>
    !isExplain(word) && !isFor(word) && !isFor(options[index - 1] ?? "")
  );
  const read = readCommandLine(
    {
      name: "anytun-show-config",
      table: showConfigTable,
      sections,
      words: "[name]",
      settle({ values }) {
        requireOne(names, others);
        return {
          program: values.for ?? "anytun",
          isExplained: values.explain,
        } as const;
      },
    },
    own,
    runtime,
  );
  if (read.kind !== "run") return read;
  const named = names.flatMap((name) => ["--config", name]);
  const { program, isExplained } = read.options;
  return withInspected(
    program,
    runtime,
    files,
    (program) =>
      readCommandLine(
        shown(program, isExplained),
        [...named, ...others],
        runtime,
        { files },
      ),
  );
}

const EXPLAIN = showConfigTable.explain.long;

/** Takes no argument, and is not for the program that is looked at. */
function isCall(word: string): boolean {
  const { help, version } = generalRows;
  return isExplain(word) ||
    [help, version].some(({ short, long }) => word === short || word === long);
}

function isExplain(word: string): boolean {
  return word === EXPLAIN || word.startsWith(`${EXPLAIN}=`);
}

function isFor(word: string): boolean {
  return word === showConfigTable.for.long;
}

/** The same program, which is not settled but shown. */
function shown<T extends OptionTable, O>(
  program: Program<T, O>,
  isExplained: boolean,
): Program<T, ShownConfig> {
  return {
    ...program,
    name: "anytun-show-config",
    settle(settings, warn, config) {
      const text = head(program.name, config.source.configFile) +
        configText(program.table, config.given, isExplained);
      return {
        text,
        fault: faultOf(() => program.settle(settings, warn, config)),
      };
    },
  };
}

function requireOne(
  names: readonly string[],
  options: readonly string[],
): void {
  const count = names.length + (options.includes("--config") ? 1 : 0);
  if (count <= 1) return;
  throw new OptionFault("Cannot show several configs at once: give one name");
}

function head(
  program: ProgramName,
  file: string | undefined,
): string {
  const place = file === undefined
    ? "without a config file"
    : `with ${visibleJson(file).slice(1, -1)}`;
  return `# ${program} ${place}\n`;
}

function faultOf(settle: () => unknown): string | undefined {
  try {
    settle();
    return undefined;
  } catch (error) {
    if (error instanceof OptionFault || error instanceof SyntaxFault) {
      return error.message;
    }
    throw error;
  }
}
