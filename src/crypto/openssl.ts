/**
 * The fast engine: the system's libcrypto on datagrams where they lie, without
 * a copy and without waiting.
 *
 * @module
 */
import { Aes, type AesCtr, type AesEcb } from "../../ffi/aes.ts";
import type { Libcrypto } from "../../ffi/libcrypto.ts";
import type { Arena } from "../../ffi/memory.ts";
import { HmacSha1 } from "../../ffi/sha1.ts";
import type { DatagramBatch } from "../satp/batch.ts";
import type { MasterKey, SyncCryptoEngine } from "../satp/engine.ts";
import { HEADER_BYTES } from "../satp/header.ts";

class OpensslMasterKey implements MasterKey {
  readonly ecb: AesEcb;

  constructor(ecb: AesEcb) {
    this.ecb = ecb;
  }

  close(): void {
    this.ecb.close();
  }
}

/** {@link SyncCryptoEngine} on libcrypto; for one thread and its arena. */
export class OpensslEngine implements SyncCryptoEngine {
  readonly name = "openssl";
  readonly #arena: Arena;
  readonly #aes: Aes;
  readonly #hmac: HmacSha1;
  #ctr: AesCtr | undefined;
  #ctrKeyBytes = 0;

  /**
   * @param arena Where all batches of this engine lie; 1 KiB of it is taken
   */
  constructor(libcrypto: Libcrypto, arena: Arena) {
    this.#arena = arena;
    this.#aes = new Aes(libcrypto, arena);
    this.#hmac = new HmacSha1(libcrypto, arena);
  }

  importMasterKey(key: Uint8Array): MasterKey {
    const copy = Uint8Array.from(key);
    try {
      return new OpensslMasterKey(this.#aes.ecb(copy));
    } finally {
      copy.fill(0);
    }
  }

  encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): void {
    checkMemory(this.#arena, memory);
    if (!(master instanceof OpensslMasterKey)) {
      throw new TypeError("Cannot use a master key of another engine");
    }
    master.ecb.encrypt(at, blocks);
  }

  applyCipher(batch: DatagramBatch): void {
    checkMemory(this.#arena, batch.memory);
    const { cipherKeyBytes, counterAt } = batch.layout;
    if (cipherKeyBytes === 0) return;
    const ctr = this.#cipher(cipherKeyBytes);
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const keysAt = batch.keysAt(i);
      const at = (batch.at[i] ?? 0) + HEADER_BYTES;
      const size = (batch.size[i] ?? 0) - HEADER_BYTES;
      ctr.apply(keysAt, keysAt + counterAt, at, size);
    }
  }

  authenticate(batch: DatagramBatch): void {
    checkMemory(this.#arena, batch.memory);
    if (batch.params.tagLength === 0) return;
    const { authKeyAt } = batch.layout;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      this.#hmac.compute(
        batch.keysAt(i) + authKeyAt,
        batch.at[i] ?? 0,
        batch.size[i] ?? 0,
        batch.macAt(i),
      );
    }
  }

  #cipher(keyBytes: 16 | 24 | 32): AesCtr {
    if (this.#ctr === undefined || this.#ctrKeyBytes !== keyBytes) {
      this.#ctr?.close();
      this.#ctr = this.#aes.ctr(keyBytes);
      this.#ctrKeyBytes = keyBytes;
    }
    return this.#ctr;
  }
}

/** Makes sure that an engine can reach what it is to work on. */
export function checkMemory(arena: Arena, memory: Uint8Array): void {
  if (memory.buffer === arena.bytes.buffer) return;
  throw new TypeError("Cannot work on a batch outside the engine's arena");
}
