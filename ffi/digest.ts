/**
 * Digests of what fits in an array, by libcrypto.
 *
 * @module
 */

import { checkResult, type Libcrypto } from "./libcrypto.ts";

/** A hash function: SHA-1 or SHA-256 (FIPS 180-4). */
export type DigestName = "SHA-1" | "SHA-256";

const SIZES = { "SHA-1": 20, "SHA-256": 32 } as const;

/**
 * @param name The hash function.
 * @param data What to hash.
 * @returns The digest, 20 or 32 bytes.
 * @throws {LibcryptoError} When the library refuses.
 */
export function digest(
  { symbols }: Libcrypto,
  name: DigestName,
  data: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const type = name === "SHA-1" ? symbols.EVP_sha1() : symbols.EVP_sha256();
  const result = new Uint8Array(SIZES[name]);
  const { EVP_Digest } = symbols;
  checkResult(
    EVP_Digest(data, data.length, result, null, type, null),
    `compute a ${name} digest`,
  );
  return result;
}
