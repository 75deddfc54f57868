// The fast engine: the system's libcrypto on messages where they lie, without a
// copy and without waiting.
import { Aes, type AesCtr, HmacSha1 } from "../../ffi/crypto/openssl.ts";
import type { Libcrypto } from "../../ffi/crypto/libcrypto.ts";
import type { Arena } from "../../ffi/memory.ts";
import type {
  AesKeyBytes,
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../satp/engine.ts";

/** For one thread and its arena. */
export class OpensslEngine implements SyncCryptoEngine {
  readonly name = "openssl";
  readonly #arena: Arena;
  readonly #aes: Aes;
  readonly #hmac: HmacSha1;
  #ctr: AesCtr | undefined;

  /** @param arena Where all messages of this engine lie; 1 KiB of it is taken */
  constructor(libcrypto: Libcrypto, arena: Arena) {
    this.#arena = arena;
    this.#aes = new Aes(libcrypto, arena);
    this.#hmac = new HmacSha1(libcrypto, arena);
  }

  importMasterKey(key: Uint8Array): MasterKey {
    const copy = Uint8Array.from(key);
    try {
      const ecb = this.#aes.ecb(copy);
      return {
        encrypt: (memory, at, blocks) => {
          checkMemory(this.#arena, memory);
          ecb.encrypt(at, blocks);
        },
        close: () => ecb.close(),
      };
    } finally {
      copy.fill(0);
    }
  }

  beginCipher(memory: Uint8Array, keyBytes: AesKeyBytes): Cipher {
    checkMemory(this.#arena, memory);
    if (this.#ctr?.keySize === keyBytes) return this.#ctr;
    this.#ctr?.close();
    return this.#ctr = this.#aes.ctr(keyBytes);
  }

  beginMac(memory: Uint8Array): Mac {
    checkMemory(this.#arena, memory);
    return this.#hmac;
  }
}

export function checkMemory(arena: Arena, memory: Uint8Array): void {
  if (memory.buffer === arena.bytes.buffer) return;
  throw new TypeError("Cannot work on a memory outside the engine's arena");
}
