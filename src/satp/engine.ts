/**
 * Cryptography on places in memory, as the protocol asks for it. Engines live
 * in `src/crypto/` and know nothing of datagrams.
 *
 * @module
 */

/** Of AES. */
export const BLOCK_BYTES = 16;

/** Bytes of an HMAC-SHA1, and of the keys for it (SATP section 2.2). */
export const SHA1_BYTES = 20;

export type AesKeyBytes = 16 | 24 | 32;

/** A result that an asynchronous engine gives later and others at once. */
export type MaybePromise<T> = T | Promise<T>;

export async function allOf(work: readonly Promise<void>[]): Promise<void> {
  await Promise.all(work);
}

export interface MasterKey {
  /**
   * Replaces blocks of 16 bytes by their AES encryption: `blocks` of them, one
   * after the other, from offset `at` of the memory.
   */
  encrypt(
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): MaybePromise<void>;

  /** Forgets the key. */
  close(): void;
}

/** AES-CTR, in place, under a new key for each message. */
export interface Cipher {
  /** Takes a message, which is done when {@link flush} is. */
  run(keyAt: number, counterAt: number, at: number, size: number): void;
  flush(): MaybePromise<void>;
}

/** HMAC-SHA1, like {@link Cipher} under a new key for each message. */
export interface Mac {
  run(keyAt: number, at: number, size: number, macAt: number): void;
  flush(): MaybePromise<void>;
}

/** Each cipher and MAC is flushed before the next begins, or given up. */
export interface CryptoEngine {
  /** As `--engine` and the log name it. */
  readonly name: string;

  /**
   * Takes a master key of 16, 24 or 32 bytes; the caller may wipe its copy as
   * soon as the result is there.
   */
  importMasterKey(key: Uint8Array): MaybePromise<MasterKey>;

  beginCipher(memory: Uint8Array<ArrayBuffer>, keyBytes: AesKeyBytes): Cipher;

  /** @param count How many messages come at most */
  beginMac(memory: Uint8Array<ArrayBuffer>, count: number): Mac;
}

/** An engine that is done when its methods return. */
export interface SyncCryptoEngine extends CryptoEngine {
  importMasterKey(key: Uint8Array): MasterKey;
}
