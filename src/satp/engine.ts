// Cryptography on places in memory, as the protocol asks for it. Engines live
// in `src/crypto/` and know nothing of datagrams.

/** Of AES. */
export const BLOCK_BYTES = 16;

/** Of an HMAC-SHA1, and of the keys for it (SATP section 2.2). */
export const SHA1_BYTES = 20;

export type AesKeyBytes = 16 | 24 | 32;

/** A result that an asynchronous engine gives later and others at once. */
export type MaybePromise<T> = T | Promise<T>;

export async function allOf(work: readonly Promise<void>[]): Promise<void> {
  await Promise.all(work);
}

export interface MasterKey {
  /** AES of `blocks` blocks in place, one after the other. */
  encrypt(
    memory: Uint8Array<ArrayBuffer>,
    at: number,
    blocks: number,
  ): MaybePromise<void>;

  close(): void;
}

/** AES-CTR, in place, under a new key for each message. */
export interface Cipher {
  /** The message is done when {@link flush} is. */
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
  readonly name: string;

  /** The caller may wipe its copy as soon as the result is there. */
  importMasterKey(key: Uint8Array): MaybePromise<MasterKey>;

  beginCipher(memory: Uint8Array<ArrayBuffer>, keyBytes: AesKeyBytes): Cipher;

  /** @param count Messages at most */
  beginMac(memory: Uint8Array<ArrayBuffer>, count: number): Mac;
}

export interface SyncCryptoEngine extends CryptoEngine {
  importMasterKey(key: Uint8Array): MasterKey;
}
