import assert from "node:assert/strict";
import fc from "fast-check";
import { hkdf } from "../../../src/crypto/hkdf.ts";

async function byWebCrypto(
  ikm: Uint8Array<ArrayBuffer>,
  info: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<string> {
  const key = await crypto.subtle.importKey("raw", ikm, "HKDF", false, [
    "deriveBits",
  ]);
  const salt = new Uint8Array(0);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info };
  const bits = await crypto.subtle.deriveBits(algorithm, key, 8 * length);
  return new Uint8Array(bits).toHex();
}

Deno.test("hkdf() derives what RFC 5869 has as an example without salt", () => {
  const ikm = new Uint8Array(22).fill(0x0b);
  assert.equal(
    hkdf(ikm, new Uint8Array(0), 32).toHex(),
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
  );
});

Deno.test("hkdf() derives what WebCrypto does", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ minLength: 1, maxLength: 130 }),
    fc.uint8Array({ maxLength: 130 }),
    fc.integer({ min: 1, max: 32 }),
    async (ikm, info, length) => {
      const [secret, label] = [Uint8Array.from(ikm), Uint8Array.from(info)];
      const derived = hkdf(secret, label, length).toHex();
      assert.equal(derived, await byWebCrypto(secret, label, length));
    },
  ));
});

Deno.test("hkdf() derives no more than one hash", () => {
  assert.throws(() => hkdf(new Uint8Array(1), new Uint8Array(0), 33), {
    message: "Cannot derive 33 bytes: it must be at most 32",
  });
});
