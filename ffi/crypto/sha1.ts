/**
 * HMAC-SHA1 (RFC 2104) on places of an arena.
 *
 * Made of the bare SHA-1 of libcrypto: with a new key for every packet, that
 * takes half the time of its HMAC functions.
 *
 * @module
 */

import type { Libcrypto } from "./libcrypto.ts";
import type { Arena } from "../memory.ts";

/** Bytes of an HMAC-SHA1, and of its key here. */
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

/** The bytes of RFC 2104 that the key is combined with, four at a time. */
const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c;

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

  /**
   * @param keyAt Offset of 20 bytes, divisible by 4.
   * @param macAt Where 20 bytes are free for the result.
   */
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

  /** Does nothing: {@linkcode run} leaves nothing to do. */
  flush(): void {}

  /**
   * Computes only what depends on the key: the states of SHA-1 behind the inner
   * and the outer pad, for somebody else to go on from.
   *
   * @param keyAt Offset of 20 bytes, divisible by 4.
   * @param innerAt Where 20 bytes are free, divisible by 4: five words.
   * @param outerAt The same for the other state.
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
