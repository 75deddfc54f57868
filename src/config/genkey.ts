// The options of `anytun genkey`.
import type { KdPrfName } from "../satp/params.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { kdPrfRow } from "./keys.ts";
import { anyText, optional } from "./option.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

/** Every option, in the order of the help text. */
const genkeyTable = {
  ...generalRows,
  keyFile: optional({
    group: "Keys and algorithms",
    long: "--key-file",
    argument: "file",
    parse: anyText,
    help: "write the key to this new file, which its owner alone may read, " +
      "instead of printing it; with --salt-file",
  }),
  saltFile: optional({
    group: "Keys and algorithms",
    long: "--salt-file",
    argument: "file",
    parse: anyText,
    help: "write the salt to this new file, likewise",
  }),
  kdPrf: kdPrfRow,
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, for a tunnel that has --key-file key and --salt-file salt",
    lines: ["anytun genkey --key-file key --salt-file salt"],
  },
  toolExitSection,
];

type GenkeySettings = Settings<typeof genkeyTable>;

export interface KeyFiles {
  readonly key: string;
  readonly salt: string;
}

interface GenkeyOptions {
  /** What the key is for, which tells its length. */
  readonly kdPrf: Exclude<KdPrfName, "null">;
  /** Without any, both are printed. */
  readonly files: KeyFiles | undefined;
}

/** Touches nothing outside. */
export function readGenkeyCommandLine(
  argv: readonly string[],
  runtime: Runtime,
): CommandLine<GenkeyOptions> {
  return readCommandLine(
    {
      name: "anytun-genkey",
      table: genkeyTable,
      sections,
      settle,
    },
    argv,
    runtime,
  );
}

function settle(settings: GenkeySettings): GenkeyOptions {
  const { values: { kdPrf }, names } = settings;
  if (kdPrf === "null") {
    throw new OptionFault(
      `Cannot make a key: ${names.kdPrf} is null, which has none`,
    );
  }
  return { kdPrf, files: filesOf(settings) };
}

function filesOf(
  { values: { keyFile: key, saltFile: salt }, names }: GenkeySettings,
): KeyFiles | undefined {
  if (key === undefined && salt === undefined) return undefined;
  if (key === undefined) throw alone(`${names.saltFile} ${salt}`, "--key-file");
  if (salt === undefined) throw alone(`${names.keyFile} ${key}`, "--salt-file");
  if (key !== salt) return { key, salt };
  throw new OptionFault(
    `Cannot use '${key}' for both ${names.keyFile} and ${names.saltFile}: ` +
      "each needs a file of its own",
  );
}

function alone(given: string, other: string): OptionFault {
  return new OptionFault(`Cannot use ${given} alone: add ${other}`);
}
