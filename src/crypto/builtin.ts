/**
 * The engine for systems without libcrypto: the runtime's own `node:crypto`.
 * It answers at once, as the native plane needs it, and is several times
 * faster than WebCrypto; each call still has a price that libcrypto has not.
 *
 * @module
 */
import { type Cipheriv, createCipheriv, createHmac } from "node:crypto";
import { AUTH_KEY_BYTES, BLOCK_BYTES } from "../satp/batch.ts";
import type { DatagramBatch } from "../satp/batch.ts";
import type { MasterKey, SyncCryptoEngine } from "../satp/engine.ts";
import { HEADER_BYTES } from "../satp/header.ts";

class BuiltinMasterKey implements MasterKey {
  // ECB has no state between blocks: one cipher serves for ever.
  readonly ecb: Cipheriv;

  constructor(ecb: Cipheriv) {
    this.ecb = ecb;
  }

  close(): void {
    // Frees it in the runtime, which older ones do for nothing else.
    this.ecb.final();
  }
}

/** {@link SyncCryptoEngine} on `node:crypto`. */
export class BuiltinEngine implements SyncCryptoEngine {
  readonly name = "builtin";

  importMasterKey(key: Uint8Array): MasterKey {
    const ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
    ecb.setAutoPadding(false);
    return new BuiltinMasterKey(ecb);
  }

  encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): void {
    if (!(master instanceof BuiltinMasterKey)) {
      throw new TypeError("Cannot use a master key of another engine");
    }
    const place = memory.subarray(at, at + blocks * BLOCK_BYTES);
    place.set(master.ecb.update(place));
  }

  applyCipher(batch: DatagramBatch): void {
    const { memory, layout } = batch;
    const { cipherKeyBytes, counterAt } = layout;
    if (cipherKeyBytes === 0) return;
    const name = `aes-${cipherKeyBytes * 8}-ctr`;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const keyAt = batch.keysAt(i);
      const ivAt = keyAt + counterAt;
      const at = batch.at[i] ?? 0;
      const cipher = createCipheriv(
        name,
        memory.subarray(keyAt, keyAt + cipherKeyBytes),
        memory.subarray(ivAt, ivAt + BLOCK_BYTES),
      );
      const body = memory.subarray(
        at + HEADER_BYTES,
        at + (batch.size[i] ?? 0),
      );
      body.set(cipher.update(body));
      cipher.final();
    }
  }

  authenticate(batch: DatagramBatch): void {
    const { memory, layout } = batch;
    if (batch.params.tagLength === 0) return;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const keyAt = batch.keysAt(i) + layout.authKeyAt;
      const at = batch.at[i] ?? 0;
      const mac = createHmac(
        "sha1",
        memory.subarray(keyAt, keyAt + AUTH_KEY_BYTES),
      ).update(memory.subarray(at, at + (batch.size[i] ?? 0))).digest();
      memory.set(mac, batch.macAt(i));
    }
  }
}
