/**
 * The fastest engine: libIPSec_MB encrypts, and authenticates many datagrams
 * side by side. libcrypto does the rest: it derives the keys of a batch in one
 * call, and authenticates few datagrams faster, one after the other.
 *
 * @module
 */
import { CtrBurst, HmacBurst } from "../../ffi/burst_jobs.ts";
import type { IpsecMb } from "../../ffi/ipsec_mb.ts";
import type { Libcrypto } from "../../ffi/libcrypto.ts";
import type { Arena } from "../../ffi/memory.ts";
import { HmacSha1 } from "../../ffi/sha1.ts";
import type { DatagramBatch } from "../satp/batch.ts";
import type { MasterKey, SyncCryptoEngine } from "../satp/engine.ts";
import { HEADER_BYTES } from "../satp/header.ts";
import { checkMemory, OpensslEngine } from "./openssl.ts";

/** Bytes of its arena that the engine takes, roughly. */
export const IPSEC_MB_ARENA_BYTES = 100 << 10;

/** From as many HMACs on, side by side is faster: bench/micro/burst_bench.ts. */
const MANY = 6;

/** {@link SyncCryptoEngine} on libIPSec_MB; for one thread and its arena. */
export class IpsecMbEngine implements SyncCryptoEngine {
  readonly name = "ipsec-mb";
  readonly #arena: Arena;
  readonly #openssl: OpensslEngine;
  readonly #ctr: CtrBurst;
  readonly #hmac: HmacBurst;

  /**
   * @param arena Where all batches of this engine lie;
   * {@link IPSEC_MB_ARENA_BYTES} of it are taken
   */
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

  encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): void {
    this.#openssl.encryptBlocks(master, memory, at, blocks);
  }

  applyCipher(batch: DatagramBatch): void {
    checkMemory(this.#arena, batch.memory);
    const { cipherKeyBytes, counterAt } = batch.layout;
    if (cipherKeyBytes === 0) return;
    const ctr = this.#ctr;
    ctr.begin(cipherKeyBytes);
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      const keysAt = batch.keysAt(i);
      const at = (batch.at[i] ?? 0) + HEADER_BYTES;
      const size = (batch.size[i] ?? 0) - HEADER_BYTES;
      ctr.add(keysAt, keysAt + counterAt, at, size);
    }
    ctr.finish();
  }

  authenticate(batch: DatagramBatch): void {
    if (batch.count < MANY) return this.#openssl.authenticate(batch);
    checkMemory(this.#arena, batch.memory);
    if (batch.params.tagLength === 0) return;
    const hmac = this.#hmac;
    const { authKeyAt } = batch.layout;
    for (let i = 0; i < batch.count; i++) {
      if (batch.wanted[i] !== 1) continue;
      hmac.add(
        batch.keysAt(i) + authKeyAt,
        batch.at[i] ?? 0,
        batch.size[i] ?? 0,
        batch.macAt(i),
      );
    }
    hmac.finish();
  }
}
