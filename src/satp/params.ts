// Parameters that two peers must configure alike, and what follows from them.
import { type AesKeyBytes, SHA1_BYTES } from "./engine.ts";
import { SatpError } from "./errors.ts";

/** Which end of the tunnel: decides the key labels (SATP section 2.1). */
export type Role = "left" | "right";

/** Payload cipher (SATP section 3). */
export type CipherName =
  | "null"
  | "aes-ctr-128"
  | "aes-ctr-192"
  | "aes-ctr-256";

/** Key derivation function (SATP section 2); sizes are those of AES. */
export type KdPrfName = CipherName;

/** Authentication algorithm (SATP section 4). */
export type AuthAlgo = "null" | "sha1";

/** A tag is the end of an HMAC-SHA1 (SATP section 4.1). */
export const MAX_TAG_BYTES = SHA1_BYTES;

/** Whatever the key size (SATP section 2.2). */
export const SALT_BYTES = 14;

/** All that two peers agree on, except secrets and addresses. */
export interface SatpParameters {
  readonly cipher: CipherName;
  readonly kdPrf: KdPrfName;
  readonly authAlgo: AuthAlgo;
  /** 0 to 20. */
  readonly tagLength: number;
}

const AES_KEY_BYTES: Readonly<Record<CipherName, 0 | AesKeyBytes>> = {
  "null": 0,
  "aes-ctr-128": 16,
  "aes-ctr-192": 24,
  "aes-ctr-256": 32,
};

export function keyBytes(name: CipherName): 0 | AesKeyBytes {
  return AES_KEY_BYTES[name];
}

/** @returns undefined if no key is of this size */
export function kdPrfOf(keyBytes: number): KdPrfName | undefined {
  const names = Object.keys(AES_KEY_BYTES) as KdPrfName[];
  return names.find((name) => AES_KEY_BYTES[name] === keyBytes);
}

/**
 * No tag without an algorithm (SATP section 4.2), and no keys where neither cipher
 * nor authentication needs one (section 2.3).
 *
 * @throws {SatpError} BAD_PARAMETER if the tag length is not 0 to 20
 */
export function effectiveParameters(given: SatpParameters): SatpParameters {
  const { tagLength } = given;
  if (
    !Number.isInteger(tagLength) || tagLength < 0 || tagLength > MAX_TAG_BYTES
  ) {
    throw new SatpError(
      "BAD_PARAMETER",
      `Cannot use tag length ${tagLength}: it must be 0 to ${MAX_TAG_BYTES} bytes`,
    );
  }
  const noKeys = given.cipher === "null" && given.authAlgo === "null";
  return {
    cipher: given.cipher,
    kdPrf: noKeys ? "null" : given.kdPrf,
    authAlgo: given.authAlgo,
    tagLength: given.authAlgo === "null" ? 0 : tagLength,
  };
}

const ROLE_ALIASES: Readonly<Record<string, Role>> = {
  left: "left",
  alice: "left",
  server: "left",
  right: "right",
  bob: "right",
  client: "right",
};

/** Aliases are roles too (SATP section 2.1). Names are case sensitive. */
export function roleFromName(name: string): Role | undefined {
  return Object.hasOwn(ROLE_ALIASES, name) ? ROLE_ALIASES[name] : undefined;
}

export function oppositeRole(role: Role): Role {
  return role === "left" ? "right" : "left";
}

/** `aes-ctr` means `aes-ctr-128`. Names are case sensitive. */
export function cipherFromName(name: string): CipherName | undefined {
  if (name === "aes-ctr") return "aes-ctr-128";
  return Object.hasOwn(AES_KEY_BYTES, name) ? name as CipherName : undefined;
}
