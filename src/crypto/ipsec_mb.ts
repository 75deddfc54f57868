// The fastest engine: libIPSec_MB encrypts, and authenticates many messages side
// by side. libcrypto derives the keys of a batch in one call, and authenticates
// few messages faster, one after the other.
import { CtrBurst, HmacBurst } from "../../ffi/crypto/burst_jobs.ts";
import type { IpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import type { Libcrypto } from "../../ffi/crypto/libcrypto.ts";
import type { Arena } from "../../ffi/memory.ts";
import { HmacSha1 } from "../../ffi/crypto/openssl.ts";
import type {
  AesKeyBytes,
  Cipher,
  Mac,
  MasterKey,
  SyncCryptoEngine,
} from "../satp/engine.ts";
import { checkMemory, OpensslEngine } from "./openssl.ts";

/** That the engine takes of its arena, roughly. */
export const IPSEC_MB_ARENA_BYTES = 100 << 10;

/** From as many HMACs on, side by side is faster: bench/micro/burst_bench.ts. */
const MANY = 6;

/** For one thread and its arena. */
export class IpsecMbEngine implements SyncCryptoEngine {
  readonly name = "ipsec-mb";
  readonly #arena: Arena;
  readonly #openssl: OpensslEngine;
  readonly #ctr: CtrBurst;
  readonly #hmac: HmacBurst;

  /** @param arena Where all messages of this engine lie */
  constructor(ipsecMb: IpsecMb, libcrypto: Libcrypto, arena: Arena) {
    this.#arena = arena;
    this.#openssl = new OpensslEngine(libcrypto, arena);
    this.#ctr = new CtrBurst(ipsecMb, arena);
    const hmac = new HmacSha1(libcrypto, arena);
    this.#hmac = new HmacBurst(ipsecMb, arena, hmac);
  }

  importMasterKey(key: Uint8Array): MasterKey {
    return this.#openssl.importMasterKey(key);
  }

  beginCipher(memory: Uint8Array, keyBytes: AesKeyBytes): Cipher {
    checkMemory(this.#arena, memory);
    this.#ctr.begin(keyBytes);
    return this.#ctr;
  }

  beginMac(memory: Uint8Array, count: number): Mac {
    if (count < MANY) return this.#openssl.beginMac(memory, count);
    checkMemory(this.#arena, memory);
    this.#hmac.begin();
    return this.#hmac;
  }
}
