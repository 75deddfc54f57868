// One client as the text of a record that a store holds (docs/fleet.md).
import { reasonOf } from "../log/reason.ts";
import { parseAddress } from "../net/address.ts";
import { type KdPrfName, keyBytes, SALT_BYTES } from "../satp/params.ts";
import { clientOf, type ClientOptions, clientRows } from "./client_options.ts";
import { readConfigText } from "./config_file.ts";
import { OptionFault, type Warn } from "./fault.ts";
import type { HostFiles } from "./host_files.ts";
import { BadValue } from "./option.ts";
import { DEFAULT, type GivenValues, settingsOf } from "./values.ts";
import type { Runtime } from "./version.ts";

const { passphraseFile: _p, keyFile: _k, saltFile: _s, ...others } = clientRows;

/**
 * What a record may say: nothing that leads to files of this host, and no name
 * that somebody would have to be asked about.
 */
export const recordRows = {
  ...others,
  remoteHost: { ...clientRows.remoteHost, parse: address },
};

interface ClientText {
  /** Its key in the store. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Whether a key chain stands in place of its secrets. */
  readonly hasChain: boolean;
}

/**
 * @returns With zeros for secrets where a key chain has them
 * @throws {OptionFault} what is at fault, a line each: it never shows a secret
 */
export function clientInText(
  { path, bytes, hasChain }: ClientText,
  runtime: Runtime,
  warn: Warn,
): ClientOptions {
  const given = readConfigText(recordRows, { path, format: "lines", bytes });
  try {
    const { kdPrf, passphrase, key } = settingsOf(recordRows, [given]).values;
    if (hasChain && kdPrf === "null") {
      throw new OptionFault("it has a key chain, and key derivation null");
    }
    const hasSecret = hasChain || (passphrase ?? key) !== undefined;
    if (kdPrf !== "null" && !hasSecret) {
      throw new OptionFault("it has no key, no passphrase and no key chain");
    }
    const sources: Given[] = hasChain
      ? [zeros(kdPrf), withoutPhrase(given)]
      : [given];
    const surroundings = { runtime, files: NO_FILES, warn };
    return clientOf(
      settingsOf<typeof clientRows>(clientRows, sources),
      surroundings,
    );
  } catch (error) {
    throw new OptionFault(`${path}: ${reasonOf(error)}`, error);
  }
}

type Given = GivenValues<typeof clientRows>;

function zeros(kdPrf: KdPrfName): Given {
  const of = (length: number) => [
    { value: new Uint8Array(length), origin: DEFAULT },
  ];
  return { key: of(keyBytes(kdPrf)), salt: of(SALT_BYTES) };
}

function withoutPhrase({ passphrase: _, ...given }: Given): Given {
  return given;
}

function address(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new BadValue("an address: the names of records are not looked up");
}

/** No option of a record leads to a file; none is read, whatever one says. */
const NO_FILES: HostFiles = {
  credentialsFolder: undefined,
  httpProxy: undefined,
  exists: () => false,
  hasUser: () => false,
  hasGroup: () => false,
  absolute: noFile,
  kindOf: noFile,
  readText: noFile,
  namesIn: noFile,
  readConfig: noFile,
  readFile: noFile,
  readStandardInput: noFile,
  readKeyChain: noFile,
  readCertificates: noFile,
};

function noFile(): never {
  throw new OptionFault("a record leads to no file");
}
