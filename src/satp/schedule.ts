/**
 * Key derivation: three values per datagram from master key, master salt,
 * direction and sequence number (SATP section 2). Nothing is stored; the
 * blocks of a whole batch are written here and encrypted in one engine call.
 *
 * @module
 */
import { BLOCK_BYTES, type DatagramBatch } from "./batch.ts";
import type { CryptoEngine, MasterKey, MaybePromise } from "./engine.ts";
import { readMux, readSenderId, readSeq } from "./header.ts";
import { oppositeRole, type Role } from "./params.ts";
import type { MasterSecrets } from "./secrets.ts";

/** Labels of the values in datagrams that this role sent (SATP section 2.1). */
const LABELS: Readonly<Record<Role, readonly [number, number, number]>> = {
  left: [0x356a192b, 0xac3478d6, 0x77de68da],
  right: [0xda4b9237, 0xc1dfd96e, 0x1b645389],
};

/** The derivation of one direction of one connection. */
export class KeySchedule {
  /** null where the key derivation is `null`: all derived bytes are zero. */
  readonly master: MasterKey | null;
  // Per label: the counter block of sequence number 0, as four words.
  readonly #blocks: Uint32Array;

  /**
   * @param master Imported master key, or null for key derivation `null`
   * @param salt Master salt, 14 bytes (unused for `null`)
   * @param sentBy The role of whoever sends the datagrams
   */
  constructor(master: MasterKey | null, salt: Uint8Array, sentBy: Role) {
    this.master = master;
    const blocks = new Uint8Array(3 * BLOCK_BYTES);
    LABELS[sentBy].forEach((label, k) => {
      const block = blocks.subarray(k * BLOCK_BYTES, (k + 1) * BLOCK_BYTES);
      block.set(salt);
      const view = new DataView(block.buffer, block.byteOffset);
      view.setUint32(6, view.getUint32(6) ^ label);
    });
    this.#blocks = new Uint32Array(blocks.buffer);
  }

  /** Writes the counter blocks of datagram `i` into its key area. */
  writeBlocks(batch: DatagramBatch, i: number): void {
    const { layout, words } = batch;
    const seq = readSeq(batch.memory, batch.at[i] ?? 0);
    const keys = batch.keysAt(i) >>> 2;
    const { cipherKeyBytes, authKeyAt, counterAt } = layout;
    if (cipherKeyBytes > 0) {
      this.#writeBlock(words, keys, 0, seq, 0);
      if (cipherKeyBytes > BLOCK_BYTES) {
        this.#writeBlock(words, keys + 4, 0, seq, 1);
      }
      this.#writeBlock(words, keys + (counterAt >>> 2), 8, seq, 0);
    }
    if (authKeyAt < counterAt) {
      const auth = keys + (authKeyAt >>> 2);
      this.#writeBlock(words, auth, 4, seq, 0);
      this.#writeBlock(words, auth + 4, 4, seq, 1);
    }
  }

  #writeBlock(
    words: Uint32Array,
    at: number,
    from: number,
    seq: number,
    blockCounter: number,
  ): void {
    const blocks = this.#blocks;
    words[at] = blocks[from] ?? 0;
    words[at + 1] = blocks[from + 1] ?? 0;
    words[at + 2] = (blocks[from + 2] ?? 0) ^ highHalf(seq);
    // Bytes 14 and 15 of the template are zero: the block counter.
    words[at + 3] = (blocks[from + 3] ?? 0) ^ lowHalf(seq) ^
      (blockCounter << 24);
  }
}

/** The schedules of both directions of one connection. */
export interface SchedulePair {
  /** Of the datagrams that we seal. */
  readonly seal: KeySchedule;
  /** Of the datagrams that we open. */
  readonly open: KeySchedule;
}

/** Imports the master key and makes the schedules of both directions. */
export function schedulePair(
  engine: CryptoEngine,
  secrets: MasterSecrets,
  own: Role,
): MaybePromise<SchedulePair> {
  const pair = (master: MasterKey | null): SchedulePair => ({
    seal: new KeySchedule(master, secrets.salt, own),
    open: new KeySchedule(master, secrets.salt, oppositeRole(own)),
  });
  if (secrets.key.length === 0) return pair(null);
  const imported = engine.importMasterKey(secrets.key);
  return imported instanceof Promise ? imported.then(pair) : pair(imported);
}

/**
 * Writes the counter blocks of all wanted datagrams and hands each run of
 * neighbours with the same master key to `encrypt`. Where the derivation is
 * `null` the keys become zero bytes instead.
 *
 * @param schedules The schedule of each wanted datagram
 */
export function deriveInRuns(
  batch: DatagramBatch,
  schedules: readonly (KeySchedule | null)[],
  encrypt: (master: MasterKey, at: number, blocks: number) => void,
): void {
  const { blocks, stride } = batch.layout;
  if (blocks === 0) return;
  let master: MasterKey | null = null;
  let first = 0;
  for (let i = 0; i <= batch.count; i++) {
    const schedule = i < batch.count && batch.wanted[i] === 1
      ? schedules[i] ?? null
      : null;
    const next = schedule?.master ?? null;
    if (next !== master) {
      if (master !== null) {
        encrypt(master, batch.keysAt(first), (i - first) * blocks);
      }
      master = next;
      first = i;
    }
    if (schedule === null) continue;
    if (next === null) {
      const at = batch.keysAt(i);
      batch.memory.fill(0, at, at + stride);
    } else schedule.writeBlocks(batch, i);
  }
}

/**
 * Turns the derived cipher salts into initial counter blocks by XORing mux,
 * sender id and sequence number into them (SATP section 3.1).
 */
export function saltsToCounters(batch: DatagramBatch): void {
  const { layout, memory, words } = batch;
  if (layout.cipherKeyBytes === 0) return;
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] !== 1) continue;
    const at = batch.at[i] ?? 0;
    const seq = readSeq(memory, at);
    const block = (batch.keysAt(i) + layout.counterAt) >>> 2;
    words[block + 1] = (words[block + 1] ?? 0) ^
      swap16(readMux(memory, at)) ^ (swap16(readSenderId(memory, at)) << 16);
    words[block + 2] = (words[block + 2] ?? 0) ^ highHalf(seq);
    words[block + 3] = ((words[block + 3] ?? 0) & 0xffff) ^ lowHalf(seq);
  }
}

// The sequence number is XORed big endian into bytes 10 to 13 of a block:
// its upper half into the last two bytes of the third word, its lower half
// into the first two of the fourth; words are little endian.
function highHalf(seq: number): number {
  return swap16(seq >>> 16) << 16;
}

function lowHalf(seq: number): number {
  return swap16(seq & 0xffff);
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
