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
import { copyOfKey } from "../satp/secrets.ts";
import { HMAC_LANES_BYTES, HmacLanes } from "./hmac_lanes.ts";
import { OpensslMac } from "./openssl_mac.ts";

/** That the engine takes of its arena, roughly. */
export const OPENSSL_ARENA_BYTES = HMAC_LANES_BYTES + 1024;

/** Below, lanes would stay empty. */
const MANY = 7;

/** For one thread and its arena. */
export class OpensslEngine implements SyncCryptoEngine {
  readonly name = "openssl";
  readonly #arena: Arena;
  readonly #aes: Aes;
  readonly #hmac: HmacSha1;
  readonly #manyHmacs: OpensslMac | undefined;
  #ctr: AesCtr | undefined;

  /**
   * @param arena Where all messages of this engine lie
   * @param now A clock that never goes back, to see whether HMACs are faster side
   * by side; without one they are not tried
   */
  constructor(libcrypto: Libcrypto, arena: Arena, now?: () => number) {
    this.#arena = arena;
    this.#aes = new Aes(libcrypto, arena);
    this.#hmac = new HmacSha1(libcrypto, arena);
    if (now === undefined) return;
    const at = arena.take(HMAC_LANES_BYTES, 64);
    const lanes = new HmacLanes(arena.memory, at);
    this.#manyHmacs = new OpensslMac(this.#hmac, lanes, now);
  }

  importMasterKey(key: Uint8Array): MasterKey {
    const copy = copyOfKey(key);
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

  beginMac(memory: Uint8Array, count: number): Mac {
    checkMemory(this.#arena, memory);
    if (count < MANY || this.#manyHmacs === undefined) return this.#hmac;
    this.#manyHmacs.begin();
    return this.#manyHmacs;
  }
}

export function checkMemory(arena: Arena, memory: Uint8Array): void {
  if (memory.buffer === arena.bytes.buffer) return;
  throw new TypeError("Cannot work on a memory outside the engine's arena");
}
