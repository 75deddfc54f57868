/**
 * AES on places of an arena: single blocks under a lasting key (ECB), and
 * counter mode (CTR) under a new key for every packet (NIST SP 800-38A).
 *
 * @module
 */

import {
  checkResult,
  type Libcrypto,
  LibcryptoError,
  type LibcryptoSymbols,
} from "./libcrypto.ts";
import type { Arena } from "../memory.ts";

/** Bytes of a block, and of the initial counter block. */
export const AES_BLOCK_SIZE = 16;

export type AesKeySize = 16 | 24 | 32;

/** Makes ciphers that work on one arena. */
export class Aes {
  readonly #libcrypto: Libcrypto;
  readonly #arena: Arena;
  readonly #written: Deno.PointerObject;

  /** @param arena Holds what is to be encrypted, and 4 bytes for this. */
  constructor(libcrypto: Libcrypto, arena: Arena) {
    this.#libcrypto = libcrypto;
    this.#arena = arena;
    this.#written = arena.pointer(arena.take(4));
  }

  /**
   * @param key 16, 24 or 32 bytes; not needed here afterwards.
   * @throws {RangeError} When the key has another size.
   * @throws {LibcryptoError} When the library refuses.
   */
  ecb(key: Uint8Array<ArrayBuffer>): AesEcb {
    const cipher = ecbCipher(this.#libcrypto, key.length);
    return new AesEcb(this.#context(cipher, key, key.length));
  }

  ctr(keySize: AesKeySize): AesCtr {
    const cipher = ctrCipher(this.#libcrypto, keySize);
    return new AesCtr(this.#context(cipher, null, keySize), keySize);
  }

  #context(
    cipher: Deno.PointerValue,
    key: Uint8Array<ArrayBuffer> | null,
    keySize: number,
  ): CipherContext {
    const { symbols } = this.#libcrypto;
    const context = symbols.EVP_CIPHER_CTX_new();
    if (context === null) {
      throw new LibcryptoError("Cannot make a cipher context: out of memory");
    }
    const { EVP_EncryptInit_key } = symbols;
    const begun = EVP_EncryptInit_key(context, cipher, null, key, null);
    if (begun !== 1) symbols.EVP_CIPHER_CTX_free(context);
    checkResult(begun, "begin with a cipher");
    const arena = this.#arena;
    const written = this.#written;
    return new CipherContext(symbols, arena, context, written, keySize);
  }
}

/** OpenSSL's state of one cipher, with the expanded key. */
class CipherContext {
  readonly #symbols: LibcryptoSymbols;
  readonly #arena: Arena;
  readonly #written: Deno.PointerObject;
  readonly #keySize: number;
  #context: Deno.PointerValue;

  constructor(
    symbols: LibcryptoSymbols,
    arena: Arena,
    context: Deno.PointerObject,
    written: Deno.PointerObject,
    keySize: number,
  ) {
    this.#symbols = symbols;
    this.#arena = arena;
    this.#context = context;
    this.#written = written;
    this.#keySize = keySize;
  }

  /** Changes key and initial counter block, and starts anew. */
  restart(keyAt: number, counterAt: number): void {
    this.#arena.check(counterAt, AES_BLOCK_SIZE);
    this.#arena.check(keyAt, this.#keySize);
    const { EVP_EncryptInit_ex } = this.#symbols;
    const key = this.#arena.pointer(keyAt);
    const counter = this.#arena.pointer(counterAt);
    checkResult(
      EVP_EncryptInit_ex(this.#opened(), null, null, key, counter),
      "change the key of a cipher",
    );
  }

  update(at: number, size: number): void {
    this.#arena.check(at, size);
    const { EVP_EncryptUpdate } = this.#symbols;
    const data = this.#arena.pointer(at);
    checkResult(
      EVP_EncryptUpdate(this.#opened(), data, this.#written, data, size),
      "encrypt",
    );
  }

  /** Wipes the key and frees the rest. A second call does nothing. */
  close(): void {
    if (this.#context === null) return;
    this.#symbols.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
  }

  #opened(): Deno.PointerObject {
    if (this.#context !== null) return this.#context;
    throw new LibcryptoError("Cannot use a cipher: it is closed");
  }
}

/** Encryption of blocks, each by itself, under one key. Made by `Aes`. */
export class AesEcb {
  readonly #context: CipherContext;

  constructor(context: CipherContext) {
    this.#context = context;
  }

  /** Encrypts blocks of 16 bytes in place. */
  encrypt(at: number, blocks: number): void {
    this.#context.update(at, blocks * AES_BLOCK_SIZE);
  }

  close(): void {
    this.#context.close();
  }
}

/** Counter mode under a new key for every message. Made by `Aes`. */
export class AesCtr {
  readonly keySize: AesKeySize;
  readonly #context: CipherContext;

  constructor(context: CipherContext, keySize: AesKeySize) {
    this.keySize = keySize;
    this.#context = context;
  }

  /** Encrypts, or decrypts, in place; the counter block has 16 bytes. */
  run(keyAt: number, counterAt: number, at: number, size: number): void {
    this.#context.restart(keyAt, counterAt);
    this.#context.update(at, size);
  }

  /** Does nothing: {@linkcode run} leaves nothing to do. */
  flush(): void {}

  close(): void {
    this.#context.close();
  }
}

function ecbCipher({ symbols }: Libcrypto, size: number): Deno.PointerValue {
  switch (size) {
    case 16:
      return symbols.EVP_aes_128_ecb();
    case 24:
      return symbols.EVP_aes_192_ecb();
    case 32:
      return symbols.EVP_aes_256_ecb();
    default:
      throw new RangeError(`Cannot use an AES key: it has ${size} bytes`);
  }
}

function ctrCipher(
  { symbols }: Libcrypto,
  size: AesKeySize,
): Deno.PointerValue {
  switch (size) {
    case 16:
      return symbols.EVP_aes_128_ctr();
    case 24:
      return symbols.EVP_aes_192_ctr();
    case 32:
      return symbols.EVP_aes_256_ctr();
  }
}
