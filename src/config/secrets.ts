// Secrets from where they are kept: options, files, systemd's credentials.
import { codeOf, reasonOf } from "../log/reason.ts";
import { bytesFromHex } from "../satp/secrets.ts";
import { SALT_BYTES } from "../satp/params.ts";
import type { Surroundings } from "./host_files.ts";
import { OptionFault, remedyFor } from "./fault.ts";
import { anyText, BadValue, optional } from "./option.ts";
import type { Settings } from "./values.ts";

const group = "Keys and algorithms";

// Key and salt of lower sources would hide a passphrase.
const BY_PASSPHRASE = [
  ...["passphrase", "passphraseFile", "keyChain"],
  ...["key", "keyFile", "salt", "saltFile"],
];
const BY_KEY = ["key", "keyFile", "keyChain"];
const BY_SALT = ["salt", "saltFile", "keyChain"];

/** `-E`, `-K`, `-A`, and the files that may stand for them. */
export const secretRows = {
  passphrase: optional({
    group,
    short: "-E",
    long: "--passphrase",
    argument: "text",
    parse: anyText,
    secret: true,
    help: "make master key and salt of this text",
    replaces: BY_PASSPHRASE,
  }),
  key: optional({
    group,
    short: "-K",
    long: "--key",
    argument: "hex",
    parse: masterKey,
    secret: true,
    help: "master key: 32, 48 or 64 digits, as the key derivation wants",
    replaces: BY_KEY,
  }),
  salt: optional({
    group,
    short: "-A",
    long: "--salt",
    argument: "hex",
    parse: masterSalt,
    secret: true,
    help: "master salt: 28 digits",
    replaces: BY_SALT,
  }),
  passphraseFile: optional({
    group,
    long: "--passphrase-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the passphrase from this file, or from standard input if it " +
      "is -; a line end after it does not count",
    replaces: BY_PASSPHRASE,
  }),
  keyFile: optional({
    group,
    long: "--key-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the master key from this file, likewise",
    replaces: BY_KEY,
  }),
  saltFile: optional({
    group,
    long: "--salt-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the master salt from this file, likewise",
    replaces: BY_SALT,
  }),
};

interface FoundSecret<T> {
  /** Undefined where only a start reads it. */
  readonly value: T | undefined;
  /** What messages call it, such as `key from 'k' (--key-file)`. */
  readonly name: string;
}

interface FoundSecrets {
  readonly passphrase: FoundSecret<string> | undefined;
  readonly key: FoundSecret<Uint8Array> | undefined;
  readonly salt: FoundSecret<Uint8Array> | undefined;
}

const STANDARD_INPUT = "-";

/**
 * Finds each secret, in this order: its option, its file, the credential of
 * the same name (`passphrase`, `key`, `salt`). Key and salt of credentials would
 * hide a passphrase that somebody has given.
 */
export function gatherSecrets(
  { values, names }: Settings<typeof secretRows>,
  surroundings: Surroundings,
): FoundSecrets {
  const paths = [values.passphraseFile, values.keyFile, values.saltFile];
  if (paths.filter((path) => path === STANDARD_INPUT).length > 1) {
    throw new OptionFault(
      "Cannot read two secrets from standard input: only one of " +
        `${names.passphraseFile}, ${names.keyFile} and ${names.saltFile} can be -`,
    );
  }
  const find = <T>(source: Source<T>) => findSecret(source, surroundings);
  const isPhrased = (values.passphrase ?? values.passphraseFile) !== undefined;
  return {
    passphrase: find({
      name: "passphrase",
      title: "passphrase",
      given: { value: values.passphrase, option: names.passphrase },
      file: { path: values.passphraseFile, option: names.passphraseFile },
      mayBeCredential: true,
      parse: passphrase,
    }),
    key: find({
      name: "key",
      title: "master key",
      given: { value: values.key, option: names.key },
      file: { path: values.keyFile, option: names.keyFile },
      mayBeCredential: !isPhrased,
      parse: (text) => masterKey(text.trim()),
    }),
    salt: find({
      name: "salt",
      title: "master salt",
      given: { value: values.salt, option: names.salt },
      file: { path: values.saltFile, option: names.saltFile },
      mayBeCredential: !isPhrased,
      parse: (text) => masterSalt(text.trim()),
    }),
  };
}

interface Source<T> {
  /** Of its credential. */
  readonly name: string;
  readonly title: string;
  readonly given: { readonly value: T | undefined; readonly option: string };
  readonly file: { readonly path: string | undefined; readonly option: string };
  readonly mayBeCredential: boolean;
  readonly parse: (text: string) => T;
}

function findSecret<T>(
  source: Source<T>,
  surroundings: Surroundings,
): FoundSecret<T> | undefined {
  const { title, given, file } = source;
  if (given.value !== undefined && file.path !== undefined) {
    throw new OptionFault(
      `Cannot use both ${given.option} and ${file.option}: give one of them`,
    );
  }
  if (given.value !== undefined) {
    return { value: given.value, name: `${title} (${given.option})` };
  }
  if (file.path !== undefined) {
    return readSecret(source, file.path, file.option, surroundings);
  }
  return source.mayBeCredential
    ? readCredential(source, surroundings)
    : undefined;
}

/** A credential may be missing, which shows only when it is read. */
function readCredential<T>(
  source: Source<T>,
  surroundings: Surroundings,
): FoundSecret<T> | undefined {
  const { credentialsFolder: folder } = surroundings.files;
  if (folder === undefined) return undefined;
  const path = `${folder}/${source.name}`;
  try {
    return readSecret(source, path, "$CREDENTIALS_DIRECTORY", surroundings);
  } catch (error) {
    const missing = error instanceof OptionFault &&
      codeOf(error.cause) === "ENOENT";
    if (missing) return undefined;
    throw error;
  }
}

/**
 * Reads a secret from its file, or from standard input.
 * @throws {OptionFault} if it is of no use
 */
export function readSecret<T>(
  source: Pick<Source<T>, "name" | "parse">,
  path: string,
  option: string,
  { files, warn }: Surroundings,
): FoundSecret<T> {
  const isInput = path === STANDARD_INPUT;
  const name = `${source.name} from ${
    isInput ? "standard input" : `'${path}'`
  } (${option})`;
  try {
    const found = isInput ? files.readStandardInput() : files.readFile(path);
    if (found === undefined) {
      warn(`the ${name} is not looked at: only a start reads it`);
      return { value: undefined, name };
    }
    const { bytes, isPublic } = found;
    if (isPublic) warn(`others have access to the ${name}: use chmod 600`);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return { value: source.parse(text), name };
    } finally {
      bytes.fill(0);
    }
  } catch (error) {
    throw new OptionFault(`Cannot use the ${name}: ${reasonFor(error)}`, error);
  }
}

function reasonFor(error: unknown): string {
  if (error instanceof BadValue) return `it must be ${error.message}`;
  if (error instanceof TypeError) return "it is no UTF-8 text";
  return reasonOf(error) + remedyFor(error, "chown anytun");
}

/** A line end after a passphrase is not meant to be part of it. */
export function passphrase(text: string): string {
  const phrase = text.replace(/\r?\n$/, "");
  if (phrase === "") throw new BadValue("a text that is not empty");
  return phrase;
}

function masterKey(text: string): Uint8Array {
  const key = bytesFromHex(text);
  if (key === undefined) {
    throw new BadValue("hexadecimal digits, two for each byte");
  }
  return key;
}

function masterSalt(text: string): Uint8Array {
  const salt = bytesFromHex(text);
  if (salt?.length !== SALT_BYTES) {
    throw new BadValue(`${2 * SALT_BYTES} hexadecimal digits`);
  }
  return salt;
}
