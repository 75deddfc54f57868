// HMAC-SHA1 of eight messages side by side, in WebAssembly: each step takes as
// long for eight as for one. Made for processors without instructions for
// SHA-1, and faster than these instructions on some that have them.
import type { Mac } from "../satp/engine.ts";
import { HMAC_SHA1_SCRATCH_BYTES, HMAC_SHA1_WASM } from "./hmac_sha1_wasm.ts";
import { openKernel } from "./kernel.ts";

const LANES = 8;
const CAPACITY = 64;
const JOB_WORDS = 4;

/** Of an entry of the order: above the number of a job, its size. */
const JOB_BITS = 6;

/** A group is worth it from as many lanes at work on. */
const WORTH_LANES = 7;

/** That they take of their memory. */
export const HMAC_LANES_BYTES = HMAC_SHA1_SCRATCH_BYTES +
  4 * (JOB_WORDS + 1) * CAPACITY;

type HmacKernel = (orderAt: number, count: number, scratchAt: number) => void;

export class HmacLanes implements Mac {
  readonly #words: Uint32Array;
  readonly #kernel: HmacKernel;
  readonly #scratchAt: number;
  // Places in words.
  readonly #jobs: number;
  readonly #order: number;
  #count = 0;

  /**
   * @param memory Where all messages lie; of fixed size
   * @param at Divisible by 16; {@link HMAC_LANES_BYTES} are taken from there
   */
  constructor(memory: WebAssembly.Memory, at: number) {
    this.#words = new Uint32Array(memory.buffer);
    const { hmac } = openKernel(HMAC_SHA1_WASM, memory);
    this.#kernel = hmac as HmacKernel;
    this.#scratchAt = at;
    this.#jobs = (at + HMAC_SHA1_SCRATCH_BYTES) >>> 2;
    this.#order = this.#jobs + JOB_WORDS * CAPACITY;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === CAPACITY;
  }

  /** What was left of another batch is forgotten. */
  begin(): void {
    this.#count = 0;
  }

  /** A list that is full is worked off first. */
  run(keyAt: number, at: number, size: number, macAt: number): void {
    if (this.isFull) this.flush();
    const words = this.#words;
    const job = this.#jobs + JOB_WORDS * this.#count;
    words[job] = keyAt;
    words[job + 1] = at;
    words[job + 2] = size;
    words[job + 3] = macAt;
    // The longest first: neighbours, of about one length, share a group.
    const entry = (size << JOB_BITS) | this.#count;
    let place = this.#order + this.#count++;
    while (place > this.#order && (words[place - 1] ?? 0) >>> JOB_BITS < size) {
      words[place] = words[place - 1] ?? 0;
      place--;
    }
    words[place] = entry;
  }

  /** @param single Does what is not worth a group, if it is there */
  flush(single?: Mac): void {
    const count = this.#count;
    this.#count = 0;
    for (let next = 0; next < count;) {
      const group = Math.min(LANES, count - next);
      if (single === undefined || this.#isWorthIt(next, group)) {
        const orderAt = 4 * (this.#order + next);
        this.#kernel(orderAt, group, this.#scratchAt);
        next += group;
      } else {
        this.#runOn(single, this.#entry(next++));
      }
    }
  }

  /** Leaves all to somebody else. */
  flushTo(single: Mac): void {
    const count = this.#count;
    this.#count = 0;
    for (let job = 0; job < count; job++) this.#runOn(single, job);
  }

  #entry(place: number): number {
    return this.#words[this.#order + place] ?? 0;
  }

  // A group takes as long as its longest message.
  #isWorthIt(first: number, group: number): boolean {
    if (group < WORTH_LANES) return false;
    const longest = blocksOf(this.#entry(first));
    let blocks = 0;
    for (let next = first; next < first + group; next++) {
      blocks += blocksOf(this.#entry(next));
    }
    return blocks >= WORTH_LANES * longest;
  }

  #runOn(single: Mac, entry: number): void {
    const words = this.#words;
    const job = this.#jobs + JOB_WORDS * (entry & (CAPACITY - 1));
    single.run(
      words[job] ?? 0,
      words[job + 1] ?? 0,
      words[job + 2] ?? 0,
      words[job + 3] ?? 0,
    );
  }
}

/** With those of the pads and of the inner digest. */
function blocksOf(entry: number): number {
  return 3 + (((entry >>> JOB_BITS) + 72) >>> 6);
}
