/**
 * What the options about keys and algorithms mean together.
 *
 * @module
 */
import {
  effectiveParameters,
  type KdPrfName,
  keyBytes,
  MAX_TAG_BYTES,
  type SatpParameters,
} from "../satp/params.ts";
import type { GivenSecrets } from "../satp/secrets.ts";
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import {
  gatherSecrets,
  type SecretFiles,
  type SecretValues,
} from "./secret_files.ts";
import type { AnytunValues } from "./table.ts";

/** Shorter tags are warned about: 2^63 datagrams are too many to try. */
const SAFE_TAG_BYTES = 8;

/** The parameters in force, with a warning for each that protects nobody. */
export function parametersOf(
  { cipher, kdPrf, authAlgo, tagLength }: AnytunValues,
  warn: Warn,
): SatpParameters {
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
    warn("cipher is null (--cipher): packets are not encrypted");
  }
  if (authAlgo === "null") {
    warn("auth algo is null (--auth-algo): forged packets are accepted");
  } else if (tagLength === 0) {
    warn("tag length is 0 (--auth-tag-length): forged packets are accepted");
  } else if (tagLength < SAFE_TAG_BYTES) {
    warn(
      `tag length is ${tagLength} (--auth-tag-length): forged packets can get ` +
        `through by trying; use ${SAFE_TAG_BYTES} bytes or more`,
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
 *
 * @throws {OptionFault} if key or salt is missing, or the key does not fit
 */
export function secretsOf(
  values: SecretValues,
  kdPrf: KdPrfName,
  files: SecretFiles,
  warn: Warn,
): GivenSecrets {
  const secrets = secretsIfGiven(values, kdPrf, files, warn);
  if (secrets !== undefined) return secrets;
  throw new OptionFault(missing("master key", "--key-file"));
}

/**
 * The same for a daemon that others tell the keys of its connections.
 *
 * @returns undefined if no secret is given
 * @throws {OptionFault} if key or salt alone is missing, or the key does not fit
 */
export function secretsIfGiven(
  values: SecretValues,
  kdPrf: KdPrfName,
  files: SecretFiles,
  warn: Warn,
): GivenSecrets | undefined {
  warnOfArguments(values, warn);
  if (kdPrf === "null") return {};
  const { passphrase, key, salt } = gatherSecrets(values, files, warn);
  if ((passphrase ?? key ?? salt) === undefined) return undefined;
  if (key === undefined && passphrase === undefined) {
    throw new OptionFault(missing("master key", "--key-file"));
  }
  if (salt === undefined && passphrase === undefined) {
    throw new OptionFault(missing("master salt", "--salt-file"));
  }
  const wanted = keyBytes(kdPrf);
  if (key !== undefined && key.length !== wanted) {
    throw new OptionFault(
      `Cannot use the master key (--key): it has ${key.length} bytes, ` +
        `key derivation ${kdPrf} (--kd-prf) needs ${wanted}`,
    );
  }
  return { passphrase, key, salt };
}

/** They are overwritten, but only once the program has come to run. */
function warnOfArguments(values: SecretValues, warn: Warn): void {
  for (const name of ["passphrase", "key", "salt"] as const) {
    if (values[name] === undefined) continue;
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
