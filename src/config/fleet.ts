// The options of `anytun fleet` (docs/fleet.md).
import { isClientName } from "../fleet/layout.ts";
import type { HostPort } from "../net/place.ts";
import { type Prefix, withoutNetwork } from "../net/prefix.ts";
import { parseAddress } from "../net/address.ts";
import type { KdPrfName, Role } from "../satp/params.ts";
import { wordsAmong } from "./arguments.ts";
import { clientRows } from "./client_options.ts";
import {
  type CommandLine,
  type Program,
  readCommandLine,
} from "./command_line.ts";
import { roleOf } from "./connection.ts";
import { OptionFault } from "./fault.ts";
import {
  type KeyPlaces,
  type NewKeys,
  newKeysOf,
  requirePlaces,
} from "./fleet_keys.ts";
import {
  fleetSections,
  type FleetSettings,
  fleetTable,
} from "./fleet_table.ts";
import type { HostFiles, Surroundings } from "./host_files.ts";
import { familyOf, requireFamily } from "./network.ts";
import { sourceOf, type SourceOptions, sourceRows } from "./source.ts";
import { nearest } from "./suggestion.ts";
import type { Runtime } from "./version.ts";

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

interface FleetOptions {
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
  const keys = newKeysOf(settings, surroundings);
  if (action === "rotate") {
    requirePlaces(settings, keys, action);
    requireNoKdPrf(settings, keys);
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

/**
 * It says what a given key is for. A client keeps the key derivation that it has,
 * since its own side has it as well.
 */
function requireNoKdPrf(
  { origins, names, values }: FleetSettings,
  keys: NewKeys | undefined,
): void {
  if (origins.kdPrf.kind !== "argument" || keys?.kind === "given") return;
  const without = keys?.kind === "chain"
    ? `with ${names.chain}`
    : "without a key";
  throw new OptionFault(
    `Cannot use ${names.kdPrf} ${values.kdPrf} ${without}: a client keeps the ` +
      "key derivation that it has, and gets keys that fit it; leave it away",
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

function addOf(
  settings: FleetSettings,
  name: string,
): Omit<AddOptions, "keys" | keyof KeyPlaces> {
  const { values, names } = settings;
  const { mux, windowSize, kdPrf, server, address } = values;
  const { remoteHost, remotePort } = values;
  requireFamily(names.remoteHost, remoteHost, familyOf(settings));
  requireAddress(names.remoteHost, remoteHost);
  const own = address ? [withoutNetwork(address)] : [];
  const routes = [...own, ...values.routes.flat()];
  return {
    ...{ action: "add", name, mux, windowSize, kdPrf, server, address },
    ...{ remoteHost, remotePort, routes, role: roleOf(settings) },
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
