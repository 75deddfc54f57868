/**
 * Cryptography on places in memory, as the protocol asks for it. Engines live
 * in `src/crypto/` and know nothing of datagrams.
 *
 * @module
 */

/** Bytes of an AES block. */
export const BLOCK_BYTES = 16;

/** Bytes of an HMAC-SHA1, and of the keys for it (SATP section 2.2). */
export const SHA1_BYTES = 20;

/** Bytes that an AES key may have. */
export type AesKeyBytes = 16 | 24 | 32;

/** A result that an asynchronous engine gives later and others at once. */
export type MaybePromise<T> = T | Promise<T>;

/** A master key as an engine holds it. */
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

  /** Forgets the key; it must not be used afterwards. */
  close(): void;
}

/** AES-CTR, in place, under a new key for each message. */
export interface Cipher {
  /** Takes a message; it is done when {@link flush} is, or before. */
  run(keyAt: number, counterAt: number, at: number, size: number): void;
  flush(): MaybePromise<void>;
}

/** HMAC-SHA1 under a new key of 20 bytes for each message. */
export interface Mac {
  /** Takes a message; its 20 bytes are there when {@link flush} is done. */
  run(keyAt: number, at: number, size: number, macAt: number): void;
  flush(): MaybePromise<void>;
}

/**
 * What begins here ends with a flush before the same thing begins anew, unless
 * an error comes between.
 */
export interface CryptoEngine {
  /** As `--engine` and the log name it. */
  readonly name: string;

  /**
   * Takes a master key of 16, 24 or 32 bytes; the caller may wipe its copy as
   * soon as the result is there.
   */
  importMasterKey(key: Uint8Array): MaybePromise<MasterKey>;

  /** @param keyBytes Bytes of every key */
  beginCipher(memory: Uint8Array<ArrayBuffer>, keyBytes: AesKeyBytes): Cipher;

  /** @param count How many messages come at most */
  beginMac(memory: Uint8Array<ArrayBuffer>, count: number): Mac;
}

/** An engine that is done when its methods return. */
export interface SyncCryptoEngine extends CryptoEngine {
  importMasterKey(key: Uint8Array): MasterKey;
}
