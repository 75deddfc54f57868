// The options of `anytun genkey`.
import {
  DEFAULT_INTERVAL,
  MAX_INTERVAL,
  MIN_INTERVAL,
} from "../satp/key_chain.ts";
import type { KdPrfName } from "../satp/params.ts";
import { type CommandLine, readCommandLine } from "./command_line.ts";
import { duration } from "./duration.ts";
import { OptionFault } from "./fault.ts";
import { generalRows, toolExitSection } from "./general.ts";
import type { HelpSection } from "./help.ts";
import { kdPrfRow } from "./keys.ts";
import { anyText, flag, optional } from "./option.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

const group = "Keys and algorithms";

/** Every option, in the order of the help text. */
export const genkeyTable = {
  ...generalRows,
  keyFile: optional({
    group,
    long: "--key-file",
    argument: "file",
    parse: anyText,
    help: "write the key to this new file, which its owner alone may read, " +
      "instead of printing it; with --salt-file",
  }),
  saltFile: optional({
    group,
    long: "--salt-file",
    argument: "file",
    parse: anyText,
    help: "write the salt to this new file, likewise",
  }),
  kdPrf: kdPrfRow,
  chain: flag({
    group,
    long: "--chain",
    help: "make a key chain instead, for --key-chain at both ends",
  }),
  interval: optional({
    group,
    long: "--interval",
    argument: "duration",
    parse: duration(MIN_INTERVAL, MAX_INTERVAL),
    help: "with --chain: how long each key of it is used, from 60 (seconds) " +
      "to 30d (default 1h)",
  }),
  chainFile: optional({
    group,
    long: "--chain-file",
    argument: "file",
    parse: anyText,
    help: "with --chain: write it to this new file, which its owner alone " +
      "may read, instead of printing it",
  }),
};

const sections: readonly HelpSection[] = [
  {
    title: "Example, for a tunnel that has --key-file key and --salt-file salt",
    lines: ["anytun genkey --key-file key --salt-file salt"],
  },
  {
    title: "Example, for a tunnel that has --key-chain chain at both ends",
    lines: ["anytun genkey --chain --chain-file chain"],
  },
  toolExitSection,
];

type GenkeySettings = Settings<typeof genkeyTable>;

export interface KeyFiles {
  readonly key: string;
  readonly salt: string;
}

export interface PairOptions {
  /** What the key is for, which tells its length. */
  readonly kdPrf: Exclude<KdPrfName, "null">;
  /** Without any, both are printed. */
  readonly files: KeyFiles | undefined;
}

export interface ChainOptions {
  /** Seconds. */
  readonly interval: number;
  /** Without any it is printed. */
  readonly chainFile: string | undefined;
}

type GenkeyOptions = PairOptions | ChainOptions;

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
  const { values: { chain, kdPrf }, names } = settings;
  if (chain) return chainOf(settings);
  for (const name of ["interval", "chainFile"] as const) {
    if (settings.values[name] === undefined) continue;
    throw new OptionFault(`Cannot use ${names[name]} alone: add --chain`);
  }
  if (kdPrf === "null") {
    throw new OptionFault(
      `Cannot make a key: ${names.kdPrf} is null, which has none`,
    );
  }
  return { kdPrf, files: filesOf(settings) };
}

function chainOf({ values, names }: GenkeySettings): ChainOptions {
  for (const name of ["keyFile", "saltFile"] as const) {
    if (values[name] === undefined) continue;
    throw new OptionFault(
      `Cannot use both ${names.chain} and ${names[name]}: a chain is in ` +
        "place of key and salt; it has a --chain-file",
    );
  }
  const { interval = DEFAULT_INTERVAL, chainFile } = values;
  return { interval, chainFile };
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
