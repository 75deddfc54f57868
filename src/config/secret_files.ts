/**
 * Secrets from where they are kept: options, files, systemd's credentials.
 *
 * @module
 */
import type { GivenSecrets } from "../satp/secrets.ts";
import type { Warn } from "./command_line.ts";
import { OptionFault } from "./fault.ts";
import { BadValue } from "./option.ts";
import { masterKey, masterSalt } from "./values.ts";

/** What a file holds. */
export interface SecretBytes {
  /** Overwritten once they have been understood. */
  readonly bytes: Uint8Array;
  /** Whether others than owner and group have access to the file. */
  readonly isPublic: boolean;
}

/** Where secrets lie that are not among the arguments, and certificates. */
export interface SecretFiles {
  /** @throws if it cannot be read, or is longer than any secret */
  readFile(path: string): SecretBytes;
  /** @throws if it cannot be read, or is longer than any secret */
  readStandardInput(): SecretBytes;
  /** What everybody may know. @throws if it cannot be read, or is huge */
  readCertificates(path: string): Uint8Array;
  /** `$CREDENTIALS_DIRECTORY`: where systemd leaves credentials as files. */
  readonly credentialsFolder: string | undefined;
}

/** Option values that hold secrets or tell where they are. */
export interface SecretValues extends GivenSecrets {
  readonly passphraseFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly saltFile: string | undefined;
}

const STANDARD_INPUT = "-";

/**
 * Finds each secret, in this order: its option, its file, the credential of
 * the same name (`passphrase`, `key`, `salt`).
 *
 * @throws {OptionFault} if it is given twice, or cannot be used
 */
export function gatherSecrets(
  values: SecretValues,
  files: SecretFiles,
  warn: Warn,
): GivenSecrets {
  const paths = [values.passphraseFile, values.keyFile, values.saltFile];
  if (paths.filter((path) => path === STANDARD_INPUT).length > 1) {
    throw new OptionFault(
      "Cannot read two secrets from standard input: only one of " +
        "--passphrase-file, --key-file and --salt-file can be -",
    );
  }
  const find = <T>(source: Source<T>): T | undefined =>
    findSecret(source, files, warn);
  return {
    passphrase: find({
      name: "passphrase",
      value: values.passphrase,
      path: values.passphraseFile,
      parse: passphrase,
    }),
    key: find({
      name: "key",
      value: values.key,
      path: values.keyFile,
      parse: (text) => masterKey(text.trim()),
    }),
    salt: find({
      name: "salt",
      value: values.salt,
      path: values.saltFile,
      parse: (text) => masterSalt(text.trim()),
    }),
  };
}

interface Source<T> {
  readonly name: string;
  readonly value: T | undefined;
  readonly path: string | undefined;
  /** @throws {BadValue} if the text cannot be the secret */
  readonly parse: (text: string) => T;
}

function findSecret<T>(
  source: Source<T>,
  files: SecretFiles,
  warn: Warn,
): T | undefined {
  const { name, value, path } = source;
  if (value !== undefined && path !== undefined) {
    throw new OptionFault(
      `Cannot use both --${name} and --${name}-file: give one of them`,
    );
  }
  if (value !== undefined) return value;
  if (path !== undefined) {
    return readSecret(source, path, `--${name}-file`, files, warn);
  }
  const { credentialsFolder } = files;
  if (credentialsFolder === undefined) return undefined;
  return readCredential(source, `${credentialsFolder}/${name}`, files, warn);
}

/** A credential may be missing, which shows only when it is read. */
function readCredential<T>(
  source: Source<T>,
  path: string,
  files: SecretFiles,
  warn: Warn,
): T | undefined {
  try {
    return readSecret(source, path, "$CREDENTIALS_DIRECTORY", files, warn);
  } catch (error) {
    const missing = error instanceof OptionFault &&
      error.cause instanceof Error && "code" in error.cause &&
      error.cause.code === "ENOENT";
    if (missing) return undefined;
    throw error;
  }
}

function readSecret<T>(
  source: Source<T>,
  path: string,
  origin: string,
  files: SecretFiles,
  warn: Warn,
): T {
  const isInput = path === STANDARD_INPUT;
  const what = `${source.name} from ${
    isInput ? "standard input" : `'${path}'`
  } (${origin})`;
  try {
    const { bytes, isPublic } = isInput
      ? files.readStandardInput()
      : files.readFile(path);
    if (isPublic) warn(`others have access to the ${what}: use chmod 600`);
    try {
      return source.parse(
        new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      );
    } finally {
      bytes.fill(0);
    }
  } catch (error) {
    throw new OptionFault(`Cannot use the ${what}: ${reason(error)}`, error);
  }
}

function reason(error: unknown): string {
  if (error instanceof BadValue) return `it must be ${error.message}`;
  if (error instanceof TypeError) return "it is no UTF-8 text";
  return error instanceof Error ? error.message : String(error);
}

/** A line end after a passphrase is not meant to be part of it. */
function passphrase(text: string): string {
  const phrase = text.replace(/\r?\n$/, "");
  if (phrase === "") throw new BadValue("a text that is not empty");
  return phrase;
}
