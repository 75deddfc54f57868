// Keys of a fleet's client: which ones it gets, and where they are written.
import { DEFAULT_INTERVAL } from "../satp/key_chain.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import { OptionFault } from "./fault.ts";
import type { FleetSettings } from "./fleet_table.ts";
import type { Surroundings } from "./host_files.ts";
import { secretsIfGiven } from "./keys.ts";

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

/** @returns undefined where nothing is said of them */
export function newKeysOf(
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

/** What is made must not be lost: the store gives no key back. */
export function requirePlaces(
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
