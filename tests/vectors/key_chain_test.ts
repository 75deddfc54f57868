// Key chains against known answers of another implementation: what
// `key_chain.py` printed.
import assert from "node:assert/strict";
import { hkdf } from "../../src/crypto/hkdf.ts";
import { KeyChain } from "../../src/satp/key_chain.ts";
import data from "./data/key_chain.json" with { type: "json" };

const KD_PRFS = {
  "aes-ctr-128": "16",
  "aes-ctr-192": "24",
  "aes-ctr-256": "32",
} as const;

for (const { interval, epochs } of data) {
  const [{ epoch: first, chain } = { epoch: 0, chain: "" }] = epochs;
  const link = { interval, epoch: first, key: Uint8Array.fromHex(chain) };

  Deno.test(`a chain of ${interval} s moves on as the specification says`, () => {
    const keys = new KeyChain(link, hkdf);
    for (const { epoch, chain } of epochs) {
      assert.equal(keys.link(epoch).key.toHex(), chain);
    }
  });

  Deno.test(`the keys of each epoch of ${interval} s are those of its chain`, () => {
    for (const { epoch, keys: expected, salt } of epochs) {
      for (const [name, bytes] of Object.entries(KD_PRFS)) {
        const keys = new KeyChain(link, hkdf);
        const kdPrf = name as keyof typeof KD_PRFS;
        const secrets = keys.secrets(epoch, kdPrf);
        assert.equal(secrets.key.toHex(), expected[bytes]);
        assert.equal(secrets.salt.toHex(), salt);
      }
    }
  });
}
