// Options about keys and algorithms (CLI section 2).
import { U32_MAX } from "../net/decimal.ts";
import {
  type AuthAlgo,
  cipherFromName,
  type CipherName,
  effectiveParameters,
  type KdPrfName,
  keyBytes,
  MAX_TAG_BYTES,
  type SatpParameters,
} from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import type { Surroundings } from "./host_files.ts";
import { OptionFault, type Warn } from "./fault.ts";
import { BadValue, decimal, withDefault } from "./option.ts";
import { gatherSecrets, type secretRows } from "./secrets.ts";
import type { Settings } from "./values.ts";

const group = "Keys and algorithms";

const CIPHERS: readonly CipherName[] = [
  "aes-ctr-128",
  "aes-ctr-192",
  "aes-ctr-256",
  "null",
];

export const kdPrfRow = withDefault({
  group,
  short: "-k",
  long: "--kd-prf",
  argument: "name",
  parse: cipher,
  choices: CIPHERS,
  default: "aes-ctr-128",
  help: "key derivation: aes-ctr-128 (or aes-ctr), aes-ctr-192, aes-ctr-256, " +
    "or null for no keys at all",
});

export const algorithmRows = {
  cipher: withDefault({
    group,
    short: "-c",
    long: "--cipher",
    argument: "name",
    parse: cipher,
    choices: CIPHERS,
    default: "aes-ctr-128",
    help:
      "encryption: aes-ctr-128 (or aes-ctr), aes-ctr-192, aes-ctr-256, or " +
      "null for none",
  }),
  authAlgo: withDefault({
    group,
    short: "-a",
    long: "--auth-algo",
    argument: "name",
    parse: authAlgo,
    choices: ["sha1", "null"],
    default: "sha1",
    help: "authentication: sha1, or null for none",
  }),
  tagLength: withDefault({
    group,
    short: "-b",
    long: "--auth-tag-length",
    argument: "bytes",
    parse: decimal(0, U32_MAX),
    default: 10,
    help: "length of the authentication tag, at most 20",
  }),
};

type ParameterSettings = Settings<
  typeof algorithmRows & { readonly kdPrf: typeof kdPrfRow }
>;
type SecretSettings = Settings<
  typeof secretRows & { readonly kdPrf: typeof kdPrfRow }
>;

/** Shorter tags are warned about: 2^63 datagrams are too many to try. */
const SAFE_TAG_BYTES = 8;

function cipher(text: string): CipherName {
  const name = cipherFromName(text);
  if (name === undefined) {
    throw new BadValue(
      "null, aes-ctr, aes-ctr-128, aes-ctr-192 or aes-ctr-256",
    );
  }
  return name;
}

function authAlgo(text: string): AuthAlgo {
  if (text !== "null" && text !== "sha1") throw new BadValue("null or sha1");
  return text;
}

/** The parameters in force, with a warning for each that protects nobody. */
export function parametersOf(
  { values, names }: ParameterSettings,
  warn: Warn,
): SatpParameters {
  const { cipher, kdPrf, authAlgo, tagLength } = values;
  if (authAlgo === "sha1" && tagLength > MAX_TAG_BYTES) {
    warn(
      `sha1 auth algo can't generate tags of length ${tagLength}, ` +
        `using maximum tag length(${MAX_TAG_BYTES})`,
    );
  }
  const parameters = effectiveParameters({
    cipher,
    kdPrf,
    authAlgo,
    tagLength: Math.min(tagLength, MAX_TAG_BYTES),
  });
  if (cipher === "null") {
    warn(`cipher is null (${names.cipher}): packets are not encrypted`);
  }
  if (authAlgo === "null") {
    warn(`auth algo is null (${names.authAlgo}): forged packets are accepted`);
  } else if (tagLength === 0) {
    warn(`tag length is 0 (${names.tagLength}): forged packets are accepted`);
  } else if (tagLength < SAFE_TAG_BYTES) {
    warn(
      `tag length is ${tagLength} (${names.tagLength}): forged packets can ` +
        `get through by trying; use ${SAFE_TAG_BYTES} bytes or more`,
    );
  }
  if (
    parameters.kdPrf === "null" && (cipher !== "null" || authAlgo !== "null")
  ) {
    warn(
      "using NULL key derivation with encryption and or authentication enabled!",
    );
  }
  return parameters;
}

/**
 * The secrets that a key derivation will use. The originals run without any,
 * or with keys of a wrong length; this refuses (SATP section 2.4).
 */
export function secretsOf(
  settings: SecretSettings,
  kdPrf: KdPrfName,
  surroundings: Surroundings,
): GivenSecrets {
  const secrets = secretsIfGiven(settings, kdPrf, surroundings);
  if (secrets !== undefined) return secrets;
  throw new OptionFault(missing("master key", "--key-file"));
}

/**
 * The same for a daemon that others tell the keys of its connections.
 * @returns undefined if no secret is given
 */
export function secretsIfGiven(
  settings: SecretSettings,
  kdPrf: KdPrfName,
  surroundings: Surroundings,
): GivenSecrets | undefined {
  warnOfArguments(settings, surroundings.warn);
  if (kdPrf === "null") return {};
  const found = gatherSecrets(settings, surroundings);
  const { passphrase, key, salt } = found;
  if ((passphrase ?? key ?? salt) === undefined) return undefined;
  if (key === undefined && passphrase === undefined) {
    throw new OptionFault(missing("master key", "--key-file"));
  }
  if (salt === undefined && passphrase === undefined) {
    throw new OptionFault(missing("master salt", "--salt-file"));
  }
  const wanted = keyBytes(kdPrf);
  if (key?.value !== undefined && key.value.length !== wanted) {
    throw new OptionFault(
      `Cannot use the ${key.name}: it has ${key.value.length} bytes, ` +
        `key derivation ${kdPrf} (${settings.names.kdPrf}) needs ${wanted}`,
    );
  }
  return {
    passphrase: passphrase?.value,
    key: key?.value,
    salt: salt?.value,
  };
}

/** They are overwritten, but only once the program has come to run. */
function warnOfArguments({ origins }: SecretSettings, warn: Warn): void {
  for (const name of ["passphrase", "key", "salt"] as const) {
    if (origins[name].kind !== "argument") continue;
    warn(
      `${name} is on the command line (--${name}): others can read it while ` +
        `the program starts; use --${name}-file`,
    );
  }
}

function missing(what: string, option: string): string {
  return `Cannot derive session keys: no ${what} is given, ` +
    `add ${option} or --passphrase-file`;
}
