// The options of `anytun check`; the original has none.
import { splitWords } from "./arguments.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { faultOutside } from "./check_outside.ts";
import {
  CLIENTS_FOLDER,
  CONFIG_FOLDER,
  type ConfigPlace,
  findConfig,
  pathsOf,
} from "./config_place.ts";
import { OptionFault } from "./fault.ts";
import { daemonRows, generalRows } from "./general.ts";
import type { HelpSection } from "./help.ts";
import {
  type InspectedName,
  inspectedRow,
  withInspected,
} from "./inspected.ts";
import { flag } from "./option.ts";
import type { HostFiles } from "./host_files.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text. */
export const checkTable = {
  ...generalRows,
  for: inspectedRow,
  strict: flag({
    group: "General",
    long: "--strict",
    help: "end with status 1 if there are warnings",
  }),
  foreground: {
    ...daemonRows.foreground,
    group: "General",
    help: "for a start that stays in the foreground",
  } as const,
};

const sections: readonly HelpSection[] = [
  {
    title: "Names, in front of the options",
    lines: [
      "vpn         what --config vpn stands for",
      "./vpn.yaml  this file",
      `none        all tunnels in ${CONFIG_FOLDER}`,
    ],
  },
  {
    title: "Exit status",
    lines: [
      "0    there is no fault",
      "1    with --strict: there are warnings",
      "255  there is a fault; a message says which",
    ],
  },
];

interface CheckOptions {
  /** Names or paths; without any it is all. */
  readonly names: readonly string[];
  /** Undefined for the one that a file seems to be for. */
  readonly program: InspectedName | undefined;
  readonly strict: boolean;
  readonly foreground: boolean;
}

/** What a start with one file comes to. */
export interface CheckedConfig {
  /** Of the file, and of the program if there may be several. */
  readonly title: string;
  readonly fault: string | undefined;
  readonly warnings: readonly string[];
}

/** Touches nothing outside. */
export function readCheckCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<CheckOptions> {
  const [names, options] = splitWords(argv);
  return readCommandLine(
    {
      name: "anytun-check",
      table: checkTable,
      sections,
      words: "[name...]",
      settle: ({ values: { for: program, strict, foreground } }) => ({
        ...{ names, program, strict, foreground },
      }),
    },
    options,
    runtime,
  );
}

/**
 * Checks files as starts of their programs would. Opens nothing but files that
 * they read, and looks at whether others are there.
 */
export function checkConfigs(
  { names, program, foreground }: CheckOptions,
  runtime: Runtime,
  files: HostFiles,
): readonly CheckedConfig[] {
  const all = names.length > 0 ? names : allNames(files);
  return all.flatMap((name) => {
    const place = placeOrFault(name, files);
    if (typeof place === "string") {
      return [{ title: name, fault: place, warnings: [] }];
    }
    const programs = program === undefined
      ? programsOf(place, files)
      : [program];
    return programs.map((program) =>
      checkConfig(place, program, foreground, runtime, files)
    );
  });
}

function checkConfig(
  { path }: ConfigPlace,
  program: InspectedName,
  foreground: boolean,
  runtime: Runtime,
  files: HostFiles,
): CheckedConfig {
  const isDaemon = program !== "anytun-config";
  const argv = ["--config", path, ...(foreground && isDaemon ? ["-D"] : [])];
  const title = program === "anytun" ? path : `${path} (${program})`;
  const read = withInspected(
    program,
    runtime,
    files,
    (program): CommandLine<unknown> =>
      readCommandLine(program, argv, runtime, { files }),
  );
  if (read.kind === "run") {
    const fault = faultOutside(read.options, files);
    return { title, fault, warnings: read.warnings };
  }
  const fault = read.kind === "error" ? read.stderr.trimEnd() : "";
  return { title, fault, warnings: [] };
}

function placeOrFault(name: string, files: HostFiles): ConfigPlace | string {
  try {
    return findConfig(name, files);
  } catch (error) {
    if (error instanceof OptionFault) return error.message;
    throw error;
  }
}

/** A tunnel of Debian's is two programs', if it has clients. */
function programsOf(
  { path, folder, format }: ConfigPlace,
  files: HostFiles,
): readonly InspectedName[] {
  if (folder === undefined) {
    return [format === "lines" ? "anytun-config" : yamlProgram(path, files)];
  }
  return files.exists(`${folder}/${CLIENTS_FOLDER}`)
    ? ["anytun", "anytun-controld"]
    : ["anytun"];
}

/** The one has to have one of these keys, and the other knows neither. */
const CONTROLD_KEY = /^(?:file|source)[ \t]*:/m;

function yamlProgram(path: string, files: HostFiles): InspectedName {
  try {
    const { bytes } = files.readConfig(path);
    const text = new TextDecoder().decode(bytes);
    bytes.fill(0);
    return CONTROLD_KEY.test(text) ? "anytun-controld" : "anytun";
  } catch {
    // Whoever checks it says why.
    return "anytun";
  }
}

/** Files of ours, tunnels of Debian's, and what is to be started at boot. */
function allNames(files: HostFiles): readonly string[] {
  const found = files.exists(CONFIG_FOLDER) ? files.namesIn(CONFIG_FOLDER) : [];
  const paths = found.flatMap((name) => {
    if (/^[^.].*\.yaml$/.test(name)) return [`${CONFIG_FOLDER}/${name}`];
    const [, lines] = pathsOf(name);
    return files.exists(lines) ? [lines] : [];
  });
  const known = new Set(paths);
  const missing = autostart(files)
    .filter((name) => !pathsOf(name).some((path) => known.has(path)));
  return [...paths.toSorted(), ...missing];
}

/** Names, one a line or several, and comments (CLI section 9). */
function autostart(files: HostFiles): readonly string[] {
  const path = `${CONFIG_FOLDER}/autostart`;
  if (!files.exists(path)) return [];
  const { bytes } = files.readConfig(path);
  return new TextDecoder().decode(bytes).split("\n")
    .flatMap((line) => (line.split("#")[0] ?? "").split(/\s+/))
    .filter((name) => name !== "");
}
