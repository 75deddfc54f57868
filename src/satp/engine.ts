/**
 * What the protocol asks of cryptography, over a batch of datagrams at a time.
 * Engines live in `src/crypto/`; this interface is all they share.
 *
 * @module
 */
import type { DatagramBatch } from "./batch.ts";

/** A result that an asynchronous engine gives later and others at once. */
export type MaybePromise<T> = T | Promise<T>;

/** A master key as an engine holds it. */
export interface MasterKey {
  /** Forgets the key; the master key must not be used afterwards. */
  close(): void;
}

/** Cryptography on datagrams in one memory. */
export interface CryptoEngine {
  /** As `--engine` and the log name it. */
  readonly name: string;

  /**
   * Takes a master key of 16, 24 or 32 bytes; the caller may wipe its copy as
   * soon as the result is there.
   */
  importMasterKey(key: Uint8Array): MaybePromise<MasterKey>;

  /**
   * Replaces blocks of 16 bytes by their AES encryption under the master key:
   * `blocks` of them, one after the other, from offset `at` of the memory.
   */
  encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): MaybePromise<void>;

  /**
   * AES-CTR, in place, over the bytes behind the header of every datagram of
   * the batch that is still wanted, under its key and initial counter block.
   */
  applyCipher(batch: DatagramBatch): MaybePromise<void>;

  /**
   * HMAC-SHA1 of every wanted datagram, header and ciphertext, under its
   * authentication key, into the batch's place for it (20 bytes).
   */
  authenticate(batch: DatagramBatch): MaybePromise<void>;
}

/** An engine that is done when its methods return. */
export interface SyncCryptoEngine extends CryptoEngine {
  importMasterKey(key: Uint8Array): MasterKey;
  encryptBlocks(
    master: MasterKey,
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): void;
  applyCipher(batch: DatagramBatch): void;
  authenticate(batch: DatagramBatch): void;
}
