// The options of `anytun fleet` (docs/fleet.md).
import { isClientName } from "../fleet/layout.ts";
import type { HostPort } from "../net/place.ts";
import type { Prefix } from "../net/prefix.ts";
import { parseAddress } from "../net/address.ts";
import { DEFAULT_INTERVAL } from "../satp/key_chain.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import { wordsAmong } from "./arguments.ts";
import { clientRows } from "./client_options.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
} from "./command_line.ts";
import { roleOf } from "./connection.ts";
import { OptionFault } from "./fault.ts";
import { fleetSections, fleetTable } from "./fleet_table.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import { secretsIfGiven } from "./keys.ts";
import { familyOf, requireFamily } from "./network.ts";
import { sourceOf, type SourceOptions, sourceRows } from "./source.ts";
import { nearest } from "./suggestion.ts";
import type { Settings } from "./values.ts";
import type { Runtime } from "./version.ts";

type FleetSettings = Settings<typeof fleetTable>;

/** Where what holds keys is written to. */
export interface KeyPlaces {
  /** A new file, or `-` for standard output. */
  readonly out: string | undefined;
  readonly chainFile: string | undefined;
}

export type NewKeys =
  | { readonly kind: "made" }
  /** `interval` in seconds. */
  | { readonly kind: "chain"; readonly interval: number }
  | {
    readonly kind: "given";
    readonly secrets: GivenSecrets;
    /** Names of files at this host, for the config of the client. */
    readonly files: Readonly<Record<string, string | undefined>>;
  };

export interface AddOptions extends KeyPlaces {
  readonly action: "add";
  readonly name: string;
  readonly mux: number | undefined;
  /** The servers' end of the tunnel. */
  readonly role: Role;
  readonly windowSize: number;
  readonly kdPrf: KdPrfName;
  readonly keys: NewKeys;
  readonly routes: readonly Prefix[];
  readonly remoteHost: string | undefined;
  readonly remotePort: number;
  readonly family: ReturnType<typeof familyOf>;
  readonly server: HostPort | undefined;
  readonly address: Prefix | undefined;
}

export interface RotateOptions extends KeyPlaces {
  readonly action: "rotate";
  readonly name: string;
  /** Undefined where nothing is said of them. */
  readonly keys: NewKeys | undefined;
  readonly kdPrf: KdPrfName;
}

export type FleetAction =
  | AddOptions
  | RotateOptions
  | { readonly action: "remove"; readonly name: string }
  | { readonly action: "list"; readonly json: boolean };

export interface FleetOptions {
  readonly source: SourceOptions;
  readonly act: FleetAction;
}

const SHARED = ["config", ...Object.keys(sourceRows)];
const KEYS = [
  ...["passphrase", "passphraseFile", "key", "keyFile", "salt", "saltFile"],
  ...["kdPrf", "chain", "interval", "chainFile", "out"],
];

/** Which options an action has besides those of all. */
const OPTIONS: Readonly<Record<FleetAction["action"], readonly string[]>> = {
  add: [...Object.keys(clientRows), ...KEYS, "server", "address"],
  remove: [],
  list: ["json"],
  rotate: KEYS,
};
const ACTIONS = Object.keys(OPTIONS) as FleetAction["action"][];

/** Reads what its arguments and its config file are to the program. */
export function readFleetCommandLine(
  argv: readonly string[],
  runtime: Runtime,
  files: HostFiles,
): CommandLine<FleetOptions> {
  const [words, options] = wordsAmong(fleetTable, argv);
  const program: Program<typeof fleetTable, FleetOptions> = {
    name: "anytun-fleet",
    table: fleetTable,
    sections: fleetSections,
    words: "add|remove|list|rotate [name]",
    debianKeys: [],
    settle: (settings, warn) =>
      settle(settings, words, { runtime, files, warn }),
  };
  const given = argv.length === 0 ? ["--help"] : options;
  return readCommandLine(program, given, runtime, { files });
}

function settle(
  settings: FleetSettings,
  [action = "", ...rest]: readonly string[],
  surroundings: Surroundings,
): FleetOptions {
  const act = actionOf(settings, action, rest, surroundings);
  const source = sourceOf(settings, surroundings);
  if (source !== undefined) return { source, act };
  throw new OptionFault(
    "Cannot tell where the records of the fleet are: add --source, or a " +
      "--config that has it",
  );
}

function actionOf(
  settings: FleetSettings,
  word: string,
  rest: readonly string[],
  surroundings: Surroundings,
): FleetAction {
  const action = ACTIONS.find((name) => name === word);
  if (action === undefined) throw unknownAction(word);
  requireOwn(settings, action);
  if (action === "list") {
    if (rest[0] === undefined) return { action, json: settings.values.json };
    throw new OptionFault(`Cannot list '${rest[0]}': list takes no name`);
  }
  const name = nameIn(action, rest);
  if (action === "remove") return { action, name };
  const { values: { out, chainFile, kdPrf } } = settings;
  const places = { out, chainFile };
  const keys = keysOf(settings, surroundings);
  if (action === "rotate") {
    requirePlaces(settings, keys, action);
    return { action, name, keys, kdPrf, ...places };
  }
  const made = keys ?? { kind: "made" } as const;
  requirePlaces(settings, made, action);
  return { ...addOf(settings, name), keys: made, ...places };
}

function unknownAction(word: string): OptionFault {
  const meant = nearest(word, ACTIONS);
  const hint = meant === undefined
    ? `use one of ${ACTIONS.join(", ")}`
    : `did you mean ${meant}?`;
  return new OptionFault(
    word === ""
      ? `Cannot tell what to do: ${hint}`
      : `Cannot do '${word}' with a fleet: ${hint}`,
  );
}

/** What arguments say: a config file may be that of several actions. */
function requireOwn(
  { origins, names }: FleetSettings,
  action: FleetAction["action"],
): void {
  const own = [...SHARED, ...OPTIONS[action]];
  const other = Object.entries(origins).find(([key, { kind }]) =>
    kind === "argument" && !own.includes(key)
  );
  if (other === undefined) return;
  const all: Readonly<Record<string, string>> = names;
  throw new OptionFault(
    `Cannot use ${all[other[0]]} with anytun fleet ${action}`,
  );
}

function nameIn(action: string, rest: readonly string[]): string {
  const [name, more] = rest;
  if (name === undefined) {
    throw new OptionFault(
      `Cannot ${action} a client: add its name, anytun fleet ${action} <name>`,
    );
  }
  if (more !== undefined) {
    throw new OptionFault(
      `Cannot ${action} '${name}' and '${more}': give one name`,
    );
  }
  if (isClientName(name)) return name;
  throw new OptionFault(
    `Cannot ${action} '${name}': a name is one to 63 letters, digits, '.', ` +
      "'_' and '-', and begins with a letter or a digit",
  );
}

function keysOf(
  settings: FleetSettings,
  surroundings: Surroundings,
): NewKeys | undefined {
  const { values, names } = settings;
  const secrets = secretsIfGiven(settings, values.kdPrf, surroundings);
  if (!values.chain) {
    for (const name of ["interval", "chainFile"] as const) {
      if (values[name] === undefined) continue;
      throw new OptionFault(`Cannot use ${names[name]} alone: add --chain`);
    }
    if (secrets === undefined) return undefined;
    return { kind: "given", secrets, files: filesIn(settings) };
  }
  if (values.kdPrf === "null") {
    throw new OptionFault(
      `Cannot use ${names.chain}: ${names.kdPrf} is null, which has no keys`,
    );
  }
  if (secrets !== undefined) {
    throw new OptionFault(
      `Cannot use both ${names.chain} and a key, salt or passphrase: a key ` +
        "chain is in place of them",
    );
  }
  return { kind: "chain", interval: values.interval ?? DEFAULT_INTERVAL };
}

function filesIn({ values }: FleetSettings): Record<string, string> {
  const given = {
    "passphrase-file": values.passphraseFile,
    "key-file": values.keyFile,
    "salt-file": values.saltFile,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, path]) =>
      path === undefined || path === "-" ? [] : [[name, path]]
    ),
  );
}

/** What is made must not be lost: the engine gives no key back. */
function requirePlaces(
  { values: { out, chainFile }, names }: FleetSettings,
  keys: NewKeys | undefined,
  action: string,
): void {
  if (keys?.kind === "chain" && chainFile === undefined) {
    throw new OptionFault(
      `Cannot make a chain (${names.chain}) that the client does not get: ` +
        "add --chain-file",
    );
  }
  if (action === "add" && keys?.kind === "made" && out === undefined) {
    throw new OptionFault(
      "Cannot make a key that the client does not get: add --out <file>, or " +
        "--out - for standard output; or give one by --key-file and --salt-file",
    );
  }
}

function addOf(
  settings: FleetSettings,
  name: string,
): Omit<AddOptions, "keys" | keyof KeyPlaces> {
  const { values, names } = settings;
  const { mux, windowSize, kdPrf, server, address } = values;
  const { remoteHost, remotePort } = values;
  const family = familyOf(settings);
  requireFamily(names.remoteHost, remoteHost, family);
  requireAddress(names.remoteHost, remoteHost);
  const own = address && {
    address: address.address,
    length: 8 * address.address.bytes.length,
  };
  const routes = [...(own ? [own] : []), ...values.routes.flat()];
  return {
    ...{ action: "add", name, mux, windowSize, kdPrf, server, address },
    ...{ remoteHost, remotePort, family, routes, role: roleOf(settings) },
  };
}

/** A name would be looked up by each control daemon, whenever it likes. */
function requireAddress(option: string, host: string | undefined): void {
  if (host === undefined || parseAddress(host) !== undefined) return;
  throw new OptionFault(
    `Cannot use ${option} '${host}' for a fleet: it needs an address, or ` +
      "nothing, and the client is known by its first packet",
  );
}
