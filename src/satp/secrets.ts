// Master key and master salt, from what people give (SATP section 2.4).
import { SatpError } from "./errors.ts";
import { type KdPrfName, keyBytes, SALT_BYTES } from "./params.ts";
import { sameBytes } from "./same_bytes.ts";

export interface MasterSecrets {
  /** Empty for key derivation `null`, as is the salt. */
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** Key and salt win over the passphrase, each alone. */
export interface GivenSecrets {
  readonly passphrase?: string | undefined;
  readonly key?: Uint8Array | undefined;
  readonly salt?: Uint8Array | undefined;
}

export type Digest = (
  algorithm: "SHA-1" | "SHA-256",
  data: Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array>;

/**
 * The passphrase becomes the last bytes of its SHA-256 (key) and of its SHA-1
 * (salt). Where the originals go on with zero or stale keys, this refuses.
 *
 * @throws {SatpError} BAD_KEY or BAD_SALT if one is missing or does not fit
 */
export async function masterSecrets(
  kdPrf: KdPrfName,
  given: GivenSecrets,
  digest: Digest,
): Promise<MasterSecrets> {
  const keyLength = keyBytes(kdPrf);
  if (keyLength === 0) {
    return { key: new Uint8Array(0), salt: new Uint8Array(0) };
  }
  const phrase = given.passphrase === undefined
    ? undefined
    : new TextEncoder().encode(given.passphrase);
  const key = given.key ??
    (phrase && (await digest("SHA-256", phrase)).slice(-keyLength));
  const salt = given.salt ??
    (phrase && (await digest("SHA-1", phrase)).slice(-SALT_BYTES));
  phrase?.fill(0);
  if (key?.length !== keyLength) {
    throw new SatpError("BAD_KEY", lengthText("key", key, keyLength, kdPrf));
  }
  if (salt?.length !== SALT_BYTES) {
    throw new SatpError(
      "BAD_SALT",
      lengthText("salt", salt, SALT_BYTES, kdPrf),
    );
  }
  return { key, salt };
}

function lengthText(
  what: string,
  value: Uint8Array | undefined,
  wanted: number,
  kdPrf: KdPrfName,
): string {
  const found = value === undefined ? "missing" : `${value.length} bytes long`;
  return `Cannot derive keys with ${kdPrf}: the ${what} is ${found}, it must have ${wanted} bytes`;
}

/** Overwrites both; whoever needs them later has a copy. */
export function wipeSecrets({ key, salt }: MasterSecrets): void {
  key.fill(0);
  salt.fill(0);
}

export function sameSecrets(a: MasterSecrets, b: MasterSecrets): boolean {
  return sameBytes(a.key, b.key) && sameBytes(a.salt, b.salt);
}

/** @returns undefined for what is not hexadecimal; the originals guess. */
export function bytesFromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/**
 * Room for a key, which can be overwritten: a short array of its own would lie
 * in the heap, where the collector copies what it moves and overwrites nothing.
 */
export function roomForKey(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** In room that can be overwritten. */
export function copyOfKey(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = roomForKey(bytes.length);
  copy.set(bytes);
  return copy;
}
