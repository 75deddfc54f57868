// Keys for a connection: new ones, and those that somebody has given.
import { digestWith } from "../crypto/webcrypto.ts";
import { type KdPrfName, keyBytes, SALT_BYTES } from "../satp/params.ts";
import {
  type GivenSecrets,
  type MasterSecrets,
  masterSecrets,
} from "../satp/secrets.ts";

/** @returns Empty ones for key derivation null, which has none */
export function madeSecrets(kdPrf: KdPrfName): MasterSecrets {
  const random = (bytes: number) =>
    crypto.getRandomValues(new Uint8Array(bytes));
  const length = keyBytes(kdPrf);
  return { key: random(length), salt: random(length && SALT_BYTES) };
}

/** The store is told no passphrase: it may be that of something else, too. */
export function givenSecrets(
  secrets: GivenSecrets,
  kdPrf: KdPrfName,
): Promise<MasterSecrets> {
  return masterSecrets(kdPrf, secrets, digestWith(crypto.subtle));
}
