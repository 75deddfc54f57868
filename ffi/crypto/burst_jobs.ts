// Lists of jobs for libIPSec_MB: AES-CTR, and HMAC-SHA1, on places of an
// arena. What is the same for every job is written once, or said in the call.

import {
  AES_BLOCK_SIZE,
  type AesKeySize,
  type HmacSha1,
  SHA1_SIZE,
} from "./openssl.ts";
import { type IpsecMb, MAX_BURST } from "./ipsec_mb.ts";
import type { Arena } from "../memory.ts";

// struct IMB_JOB: sizes are uint64_t, of which the upper half stays 0.
const ENCRYPTION_KEYS_AT = 0;
const SOURCE_AT = 24;
const DESTINATION_AT = 32;
const CIPHER_SIZE_AT = 48;
const HASH_SIZE_AT = 64;
const IV_AT = 72;
const IV_SIZE_AT = 80;
const TAG_AT = 88;
const TAG_SIZE_AT = 96;
const INNER_STATE_AT = 104;
const OUTER_STATE_AT = 112;

/** Has 240 bytes for AES-256. */
const EXPANDED_KEY = 256;

/** Has 20 bytes. */
const STATE = 32;

/** The structs; each is 8 byte aligned and zero but for what is set. */
class Jobs {
  count = 0;
  readonly #arena: Arena;
  readonly #at: number;
  readonly #stride: number;

  constructor(arena: Arena, stride: number) {
    this.#arena = arena;
    this.#stride = stride;
    this.#at = arena.take(MAX_BURST * stride, 64);
  }

  get first(): Deno.PointerObject {
    return this.#arena.pointer(this.#at);
  }

  setAddress(job: number, field: number, offset: number): void {
    this.#arena.storeAddress(this.#at + job * this.#stride + field, offset);
  }

  setSize(job: number, field: number, size: number): void {
    const at = this.#at + job * this.#stride + field;
    this.#arena.words[at >>> 2] = size;
  }
}

/** Each message under its own key. */
export class CtrBurst {
  readonly #library: IpsecMb;
  readonly #arena: Arena;
  readonly #jobs: Jobs;
  readonly #expandedAt: number;
  #keySize: AesKeySize = 16;

  /** @param arena Holds keys and messages, and 60 KiB for this. */
  constructor(library: IpsecMb, arena: Arena) {
    this.#library = library;
    this.#arena = arena;
    this.#jobs = new Jobs(arena, library.jobBytes);
    this.#expandedAt = arena.take(MAX_BURST * EXPANDED_KEY, 64);
    for (let job = 0; job < MAX_BURST; job++) {
      const expandedAt = this.#expandedAt + job * EXPANDED_KEY;
      this.#jobs.setAddress(job, ENCRYPTION_KEYS_AT, expandedAt);
      this.#jobs.setSize(job, IV_SIZE_AT, AES_BLOCK_SIZE);
    }
  }

  /** What was left of another burst is forgotten. */
  begin(keySize: AesKeySize): void {
    this.#jobs.count = 0;
    this.#keySize = keySize;
  }

  /**
   * A burst that is full is worked off first.
   * @param counterAt Only the last four of its 16 bytes count, without a carry to
   * the others.
   * @throws {IpsecMbError} When the library refuses.
   */
  run(keyAt: number, counterAt: number, at: number, size: number): void {
    if (size === 0) return;
    if (this.#jobs.count === MAX_BURST) this.flush();
    const arena = this.#arena;
    const jobs = this.#jobs;
    arena.check(keyAt, this.#keySize);
    arena.check(counterAt, AES_BLOCK_SIZE);
    arena.check(at, size);
    const job = jobs.count++;
    this.#library.expandKey(
      this.#keySize,
      arena.pointer(keyAt),
      arena.pointer(this.#expandedAt + job * EXPANDED_KEY),
    );
    jobs.setAddress(job, SOURCE_AT, at);
    jobs.setAddress(job, DESTINATION_AT, at);
    jobs.setSize(job, CIPHER_SIZE_AT, size);
    jobs.setAddress(job, IV_AT, counterAt);
  }

  flush(): void {
    const { count, first } = this.#jobs;
    if (count === 0) return;
    this.#jobs.count = 0;
    this.#library.encrypt(first, count, this.#keySize);
  }
}

/** Each message under its own key. */
export class HmacBurst {
  readonly #library: IpsecMb;
  readonly #arena: Arena;
  readonly #hmac: HmacSha1;
  readonly #jobs: Jobs;
  readonly #statesAt: number;

  /**
   * @param arena Holds keys and messages, and 36 KiB for this.
   * @param hmac Combines the keys with the pads.
   */
  constructor(library: IpsecMb, arena: Arena, hmac: HmacSha1) {
    this.#library = library;
    this.#arena = arena;
    this.#hmac = hmac;
    this.#jobs = new Jobs(arena, library.jobBytes);
    this.#statesAt = arena.take(2 * MAX_BURST * STATE, 64);
    for (let job = 0; job < MAX_BURST; job++) {
      const innerAt = this.#statesAt + 2 * job * STATE;
      this.#jobs.setAddress(job, INNER_STATE_AT, innerAt);
      this.#jobs.setAddress(job, OUTER_STATE_AT, innerAt + STATE);
      this.#jobs.setSize(job, TAG_SIZE_AT, SHA1_SIZE);
    }
  }

  /** What was left of another burst is forgotten. */
  begin(): void {
    this.#jobs.count = 0;
  }

  /**
   * A burst that is full is worked off first.
   * @param keyAt Divisible by 4.
   * @param size 1 to 65534.
   * @throws {IpsecMbError} When the library refuses.
   */
  run(keyAt: number, at: number, size: number, macAt: number): void {
    if (this.#jobs.count === MAX_BURST) this.flush();
    const jobs = this.#jobs;
    this.#arena.check(at, size);
    this.#arena.check(macAt, SHA1_SIZE);
    const job = jobs.count++;
    const innerAt = this.#statesAt + 2 * job * STATE;
    this.#hmac.states(keyAt, innerAt, innerAt + STATE);
    jobs.setAddress(job, SOURCE_AT, at);
    jobs.setSize(job, HASH_SIZE_AT, size);
    jobs.setAddress(job, TAG_AT, macAt);
  }

  flush(): void {
    const { count, first } = this.#jobs;
    if (count === 0) return;
    this.#jobs.count = 0;
    this.#library.authenticate(first, count);
  }
}
