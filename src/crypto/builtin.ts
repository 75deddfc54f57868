// The engine on `node:crypto`, for systems without libcrypto. It answers at once,
// as the native plane needs it, and is several times faster than WebCrypto; each
// call still has a price that libcrypto has not.
import { createCipheriv, createHmac } from "node:crypto";
import {
  type AesKeyBytes,
  BLOCK_BYTES,
  type Cipher,
  type Mac,
  type MasterKey,
  SHA1_BYTES,
  type SyncCryptoEngine,
} from "../satp/engine.ts";

export class BuiltinEngine implements SyncCryptoEngine {
  readonly name = "builtin";

  importMasterKey(key: Uint8Array): MasterKey {
    // ECB has no state between blocks: one cipher serves for ever.
    const ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
    ecb.setAutoPadding(false);
    return {
      encrypt(memory, at, blocks) {
        const place = memory.subarray(at, at + blocks * BLOCK_BYTES);
        place.set(ecb.update(place));
      },
      close() {
        // Frees it in the runtime, which older ones do for nothing else.
        ecb.final();
      },
    };
  }

  beginCipher(memory: Uint8Array<ArrayBuffer>, keyBytes: AesKeyBytes): Cipher {
    const name = `aes-${keyBytes * 8}-ctr`;
    return {
      run(keyAt, counterAt, at, size) {
        const cipher = createCipheriv(
          name,
          memory.subarray(keyAt, keyAt + keyBytes),
          memory.subarray(counterAt, counterAt + BLOCK_BYTES),
        );
        const body = memory.subarray(at, at + size);
        body.set(cipher.update(body));
        cipher.final();
      },
      flush() {},
    };
  }

  beginMac(memory: Uint8Array<ArrayBuffer>, _count: number): Mac {
    return {
      run(keyAt, at, size, macAt) {
        const key = memory.subarray(keyAt, keyAt + SHA1_BYTES);
        const mac = createHmac("sha1", key)
          .update(memory.subarray(at, at + size)).digest();
        memory.set(mac, macAt);
      },
      flush() {},
    };
  }
}
