// AES and HMAC-SHA1 of libcrypto on places of an arena: single blocks under a
// lasting key (ECB), counter mode under a new key for every packet (CTR, NIST
// SP 800-38A), and HMACs (RFC 2104).

import {
  type Libcrypto,
  LibcryptoError,
  type LibcryptoSymbols,
} from "./libcrypto.ts";
import type { Arena } from "../memory.ts";

export const AES_BLOCK_SIZE = 16;

export type AesKeySize = 16 | 24 | 32;

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

  /** @throws {RangeError} Unless the key has 16, 24 or 32 bytes. */
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

function checkResult(result: number, what: string): void {
  if (result === 1) return;
  throw new LibcryptoError(`Cannot ${what}: libcrypto refused`);
}

/** With the expanded key. */
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

  /** Wipes the key. A second call does nothing. */
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

class AesEcb {
  readonly #context: CipherContext;

  constructor(context: CipherContext) {
    this.#context = context;
  }

  encrypt(at: number, blocks: number): void {
    this.#context.update(at, blocks * AES_BLOCK_SIZE);
  }

  close(): void {
    this.#context.close();
  }
}

export class AesCtr {
  readonly keySize: AesKeySize;
  readonly #context: CipherContext;

  constructor(context: CipherContext, keySize: AesKeySize) {
    this.keySize = keySize;
    this.#context = context;
  }

  run(keyAt: number, counterAt: number, at: number, size: number): void {
    this.#context.restart(keyAt, counterAt);
    this.#context.update(at, size);
  }

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

/** Of an HMAC-SHA1, and of its key here. */
export const SHA1_SIZE = 20;

const BLOCK_SIZE = 64;

/** The state that SHA-1 begins with (FIPS 180-4 section 5.3.1). */
const INITIAL_STATE = [
  0x67452301,
  0xefcdab89,
  0x98badcfe,
  0x10325476,
  0xc3d2e1f0,
];

/** Bytes for a SHA_CTX; it has 96, and begins with the state. */
const CONTEXT_SIZE = 128;

const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c;

/**
 * Made of the bare SHA-1 of libcrypto: with a new key for every packet, that
 * takes half the time of its HMAC functions.
 */
export class HmacSha1 {
  readonly #libcrypto: Libcrypto;
  readonly #arena: Arena;
  readonly #contextAt: number;
  readonly #context: Deno.PointerObject;
  readonly #innerAt: number;
  readonly #inner: Deno.PointerObject;
  readonly #outerAt: number;
  readonly #outer: Deno.PointerObject;
  readonly #digest: Deno.PointerObject;

  /** @param arena Holds keys, data and HMACs, and 284 bytes for this. */
  constructor(libcrypto: Libcrypto, arena: Arena) {
    this.#libcrypto = libcrypto;
    this.#arena = arena;
    this.#contextAt = arena.take(CONTEXT_SIZE, 64);
    this.#context = arena.pointer(this.#contextAt);
    this.#innerAt = arena.take(BLOCK_SIZE, 64);
    this.#inner = arena.pointer(this.#innerAt);
    // The inner digest follows on the outer pad, so that both are one piece.
    this.#outerAt = arena.take(BLOCK_SIZE + SHA1_SIZE, 64);
    this.#outer = arena.pointer(this.#outerAt);
    this.#digest = arena.pointer(this.#outerAt + BLOCK_SIZE);
    arena.bytes.fill(0x36, this.#innerAt, this.#innerAt + BLOCK_SIZE);
    arena.bytes.fill(0x5c, this.#outerAt, this.#outerAt + BLOCK_SIZE);
  }

  /** @param keyAt Divisible by 4. */
  run(keyAt: number, at: number, size: number, macAt: number): void {
    this.#arena.check(keyAt, SHA1_SIZE);
    this.#arena.check(at, size);
    this.#arena.check(macAt, SHA1_SIZE);
    this.#combineKey(keyAt);
    const { SHA1_Init, SHA1_Update, SHA1_Final } = this.#libcrypto.symbols;
    SHA1_Init(this.#context);
    SHA1_Update(this.#context, this.#inner, BLOCK_SIZE);
    SHA1_Update(this.#context, this.#arena.pointer(at), size);
    SHA1_Final(this.#digest, this.#context);
    SHA1_Init(this.#context);
    SHA1_Update(this.#context, this.#outer, BLOCK_SIZE + SHA1_SIZE);
    SHA1_Final(this.#arena.pointer(macAt), this.#context);
  }

  flush(): void {}

  /**
   * Only what depends on the key: the states of SHA-1 behind the inner and the
   * outer pad, for somebody else to go on from. All offsets divisible by 4.
   */
  states(keyAt: number, innerAt: number, outerAt: number): void {
    this.#arena.check(keyAt, SHA1_SIZE);
    this.#arena.check(innerAt, SHA1_SIZE);
    this.#arena.check(outerAt, SHA1_SIZE);
    this.#combineKey(keyAt);
    this.#stateBehind(this.#inner, innerAt);
    this.#stateBehind(this.#outer, outerAt);
  }

  #stateBehind(pad: Deno.PointerObject, stateAt: number): void {
    const { words } = this.#arena;
    const context = this.#contextAt >>> 2;
    const state = stateAt >>> 2;
    for (let k = 0; k < SHA1_SIZE / 4; k++) {
      words[context + k] = INITIAL_STATE[k] ?? 0;
    }
    this.#libcrypto.symbols.SHA1_Transform(this.#context, pad);
    for (let k = 0; k < SHA1_SIZE / 4; k++) {
      words[state + k] = words[context + k] ?? 0;
    }
  }

  #combineKey(keyAt: number): void {
    const { words } = this.#arena;
    const key = keyAt >>> 2;
    const inner = this.#innerAt >>> 2;
    const outer = this.#outerAt >>> 2;
    for (let k = 0; k < SHA1_SIZE / 4; k++) {
      const word = words[key + k] ?? 0;
      words[inner + k] = word ^ INNER_PAD;
      words[outer + k] = word ^ OUTER_PAD;
    }
  }
}
