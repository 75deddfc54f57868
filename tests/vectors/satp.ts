/**
 * Parameters and secrets as the recorded vectors name them.
 *
 * @module
 */
import { digestWith } from "../../src/crypto/webcrypto.ts";
import { bytesFromHex } from "../../src/satp/secrets.ts";
import {
  cipherFromName,
  effectiveParameters,
  type SatpParameters,
} from "../../src/satp/params.ts";
import { type MasterSecrets, masterSecrets } from "../../src/satp/secrets.ts";

/** The `params` of a vector, as far as they concern the protocol. */
export interface VectorParams {
  readonly cipher: string;
  readonly kd_prf: string;
  readonly auth_algo: string;
  readonly auth_tag_length: number;
  readonly passphrase?: string;
  readonly key?: string;
  readonly salt?: string;
}

/** What the originals have unless told otherwise, in the form of a vector. */
export function usualVector(
  passphrase: string,
): VectorParams & { readonly passphrase: string } {
  return {
    cipher: "aes-ctr-128",
    kd_prf: "aes-ctr-128",
    auth_algo: "sha1",
    auth_tag_length: 10,
    passphrase,
  };
}

/** The protocol's parameters; the command line has cut longer tags to 20. */
export function paramsOf(vector: VectorParams): SatpParameters {
  const cipher = cipherFromName(vector.cipher);
  const kdPrf = cipherFromName(vector.kd_prf);
  if (cipher === undefined || kdPrf === undefined) {
    throw new Error(`Cannot use ${vector.cipher} with ${vector.kd_prf}`);
  }
  return effectiveParameters({
    cipher,
    kdPrf,
    authAlgo: vector.auth_algo === "null" ? "null" : "sha1",
    tagLength: Math.min(20, vector.auth_tag_length),
  });
}

/** Master key and salt. */
export function secretsOf(vector: VectorParams): Promise<MasterSecrets> {
  return masterSecrets(paramsOf(vector).kdPrf, {
    passphrase: vector.passphrase,
    key: vector.key === undefined ? undefined : bytesFromHex(vector.key),
    salt: vector.salt === undefined ? undefined : bytesFromHex(vector.salt),
  }, digestWith(crypto.subtle));
}
