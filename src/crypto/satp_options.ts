// Options of the library that name algorithms and secrets.
import { SatpError } from "../satp/errors.ts";
import {
  bytesFromHex,
  type MasterSecrets,
  masterSecrets,
} from "../satp/secrets.ts";
import {
  type AuthAlgo,
  cipherFromName,
  type CipherName,
  effectiveParameters,
  type KdPrfName,
  type Role,
  roleFromName,
  type SatpParameters,
} from "../satp/params.ts";
import { digestWith } from "./webcrypto.ts";

/** Where master key and master salt of a connection come from. */
export interface SecretOptions {
  /** Where key and salt come from unless they are given. */
  readonly passphrase?: string;
  /** Master key of 16, 24 or 32 bytes as `kdPrf` says; hex text or bytes. */
  readonly key?: string | Uint8Array;
  /** Master salt of 14 bytes; hex text or bytes. */
  readonly salt?: string | Uint8Array;
}

/** What both ends must set alike, but for the role. */
export interface SatpOptions extends SecretOptions {
  /** Payload cipher; default `aes-ctr-128`. */
  readonly cipher?: CipherName | "aes-ctr";
  /** Key derivation; default `aes-ctr-128`. */
  readonly kdPrf?: KdPrfName | "aes-ctr";
  /** Authentication; default `sha1`. */
  readonly authAlgo?: AuthAlgo;
  /** Bytes of the tag, 0 to 20; default 10. */
  readonly authTagLength?: number;
  /** Own role; the peer has the other one. Default `left`. */
  readonly role?: RoleName;
}

/** The two ends of a connection, by the names of anytun(8). */
export type RoleName =
  | "left"
  | "right"
  | "alice"
  | "bob"
  | "server"
  | "client";

export function satpParameters(options: SatpOptions): SatpParameters {
  return effectiveParameters({
    cipher: cipherOption("cipher", options.cipher),
    kdPrf: cipherOption("kdPrf", options.kdPrf),
    authAlgo: authOption(options.authAlgo),
    tagLength: options.authTagLength ?? 10,
  });
}

export function satpRole(name: RoleName | undefined): Role {
  const role = roleFromName(name ?? "left");
  if (role === undefined) throw badOption("role", name);
  return role;
}

export function satpSecrets(
  { passphrase, key, salt }: SecretOptions,
  kdPrf: KdPrfName,
): Promise<MasterSecrets> {
  return masterSecrets(kdPrf, {
    passphrase,
    key: bytesOption("BAD_KEY", key),
    salt: bytesOption("BAD_SALT", salt),
  }, digestWith(crypto.subtle));
}

/** A number of 16 bits; 0 if it is left out. */
export function idOption(name: string, value: number | undefined): number {
  const id = value ?? 0;
  if (!Number.isInteger(id) || id < 0 || id > 0xffff) throw badOption(name, id);
  return id;
}

function cipherOption(name: string, value: string | undefined): CipherName {
  const cipher = cipherFromName(value ?? "aes-ctr");
  if (cipher === undefined) throw badOption(name, value);
  return cipher;
}

function authOption(value: string | undefined): AuthAlgo {
  if (value === undefined || value === "sha1") return "sha1";
  if (value === "null") return "null";
  throw badOption("authAlgo", value);
}

// The value is a secret, so that the error must not show it. It stays whole
// for whoever gave it: the copy is what is overwritten after use.
function bytesOption(
  code: "BAD_KEY" | "BAD_SALT",
  value: string | Uint8Array | undefined,
): Uint8Array | undefined {
  if (typeof value !== "string") return value?.slice();
  const bytes = bytesFromHex(value);
  if (bytes !== undefined) return bytes;
  const what = code === "BAD_KEY" ? "key" : "salt";
  throw new SatpError(
    code,
    `Cannot use the ${what}: it must be hexadecimal digits, two for each byte`,
  );
}

function badOption(name: string, value: unknown): SatpError {
  return new SatpError("BAD_PARAMETER", `Cannot use ${name} ${value}`);
}
