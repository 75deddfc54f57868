/**
 * Options about keys and algorithms (CLI section 2).
 *
 * @module
 */
import { optional, withDefault } from "../option.ts";
import {
  anyText,
  authAlgo,
  cipher,
  decimal,
  masterKey,
  masterSalt,
  U32_MAX,
} from "../values.ts";

const group = "Keys and algorithms";

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
  }),
  key: optional({
    group,
    short: "-K",
    long: "--key",
    argument: "hex",
    parse: masterKey,
    secret: true,
    help: "master key: 32, 48 or 64 digits, as the key derivation wants",
  }),
  salt: optional({
    group,
    short: "-A",
    long: "--salt",
    argument: "hex",
    parse: masterSalt,
    secret: true,
    help: "master salt: 28 digits",
  }),
  passphraseFile: optional({
    group,
    long: "--passphrase-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the passphrase from this file, or from standard input if it " +
      "is -; a line end after it does not count",
  }),
  keyFile: optional({
    group,
    long: "--key-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the master key from this file, likewise",
  }),
  saltFile: optional({
    group,
    long: "--salt-file",
    argument: "file",
    parse: anyText,
    standardInput: true,
    help: "read the master salt from this file, likewise",
  }),
};

/** `-k`. */
export const kdPrfRow = withDefault({
  group,
  short: "-k",
  long: "--kd-prf",
  argument: "name",
  parse: cipher,
  default: "aes-ctr-128",
  help: "key derivation: aes-ctr-128 (or aes-ctr), aes-ctr-192, aes-ctr-256, " +
    "or null for no keys at all",
});

/** `-c`, `-a` and `-b`. */
export const algorithmRows = {
  cipher: withDefault({
    group,
    short: "-c",
    long: "--cipher",
    argument: "name",
    parse: cipher,
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
