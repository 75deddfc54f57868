// Key derivation: three values per datagram from master key, master salt,
// direction and sequence number (SATP section 2). Nothing is stored; the
// blocks of a whole batch are written here and encrypted in one engine call.
import type { DatagramBatch } from "./batch.ts";
import {
  allOf,
  BLOCK_BYTES,
  type CryptoEngine,
  type MasterKey,
  type MaybePromise,
} from "./engine.ts";
import { readMux, readSenderId, readSeq } from "./header.ts";
import { oppositeRole, type Role } from "./params.ts";
import type { MasterSecrets } from "./secrets.ts";

/** Labels of the values in datagrams that this role sent (SATP section 2.1). */
const LABELS: Readonly<Record<Role, readonly [number, number, number]>> = {
  left: [0x356a192b, 0xac3478d6, 0x77de68da],
  right: [0xda4b9237, 0xc1dfd96e, 0x1b645389],
};

export class KeySchedule {
  /** null where the key derivation is `null`: all derived bytes are zero. */
  readonly master: MasterKey | null;
  // The counter blocks of sequence number 0, two per label, as words.
  readonly #blocks: Uint32Array;

  constructor(master: MasterKey | null, salt: Uint8Array, sentBy: Role) {
    this.master = master;
    const labels = LABELS[sentBy];
    const blocks = new Uint8Array(2 * labels.length * BLOCK_BYTES);
    for (let k = 0; k < 2 * labels.length; k++) {
      const block = blocks.subarray(k * BLOCK_BYTES, (k + 1) * BLOCK_BYTES);
      block.set(salt);
      const view = new DataView(block.buffer, block.byteOffset);
      view.setUint32(6, view.getUint32(6) ^ (labels[k >> 1] ?? 0));
      view.setUint16(14, k & 1);
    }
    this.#blocks = new Uint32Array(blocks.buffer);
  }

  writeBlocks(batch: DatagramBatch, i: number): void {
    const { layout: { blocks }, words } = batch;
    const seq = readSeq(batch.memory, batch.startOf(i));
    const high = highHalf(seq);
    const low = lowHalf(seq);
    const templates = this.#blocks;
    let to = batch.keysAt(i) >>> 2;
    for (let k = 0; k < blocks.length; k++, to += 4) {
      const from = 4 * (blocks[k] ?? 0);
      words[to] = templates[from] ?? 0;
      words[to + 1] = templates[from + 1] ?? 0;
      words[to + 2] = (templates[from + 2] ?? 0) ^ high;
      words[to + 3] = (templates[from + 3] ?? 0) ^ low;
    }
  }
}

export interface SchedulePair {
  readonly seal: KeySchedule;
  readonly open: KeySchedule;
}

/** Of each datagram of a batch; null where it is not wanted. */
export type Schedules = readonly (KeySchedule | null)[];

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

/** One call for neighbours with the same master key; zero bytes without one. */
export function deriveKeys(
  batch: DatagramBatch,
  schedules: Schedules,
): MaybePromise<void> {
  const { count, wanted, memory, layout: { stride } } = batch;
  if (stride === 0) return;
  // Engines that answer at once leave no list behind.
  let pending: Promise<void>[] | undefined;
  let master: MasterKey | null = null;
  let from = 0;
  for (let i = 0; i <= count; i++) {
    const schedule = i < count && wanted[i] === 1 ? schedules[i] : null;
    const next = schedule?.master ?? null;
    const at = batch.keysAt(i);
    if (next !== master) {
      const done = master?.encrypt(memory, from, (at - from) / BLOCK_BYTES);
      if (done instanceof Promise) (pending ??= []).push(done);
      master = next;
      from = at;
    }
    if (next !== null) schedule?.writeBlocks(batch, i);
    else if (schedule) memory.fill(0, at, at + stride);
  }
  if (pending !== undefined) return allOf(pending);
}

/** Makes the initial counter block of a derived salt (SATP section 3.1). */
export function writeCounter(
  { memory, words }: DatagramBatch,
  counterAt: number,
  datagramAt: number,
): void {
  const seq = readSeq(memory, datagramAt);
  const block = counterAt >>> 2;
  words[block + 1] = (words[block + 1] ?? 0) ^
    swap16(readMux(memory, datagramAt)) ^
    (swap16(readSenderId(memory, datagramAt)) << 16);
  words[block + 2] = (words[block + 2] ?? 0) ^ highHalf(seq);
  words[block + 3] = ((words[block + 3] ?? 0) & 0xffff) ^ lowHalf(seq);
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
