/**
 * The two ways of a batch through the engine: sealing (SATP section 5) and
 * opening (SATP section 6), each once for engines that answer later and once
 * for those that answer at once.
 *
 * Opening stops between authentication and decryption, because there the
 * caller decides: replay window, endpoint, payload size.
 *
 * @module
 */
import type { DatagramBatch } from "./batch.ts";
import type { CryptoEngine, SyncCryptoEngine } from "./engine.ts";
import { deriveInRuns, type KeySchedule, saltsToCounters } from "./schedule.ts";
import { tagMatches, writeTag } from "./tag.ts";

/** The schedule of each datagram of a batch; null where it is not wanted. */
export type Schedules = readonly (KeySchedule | null)[];

/**
 * Seals every wanted datagram: header, payload type and payload stand in the
 * memory in clear, afterwards header, ciphertext and tag do.
 */
export async function sealBatch(
  engine: CryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): Promise<void> {
  await deriveKeys(engine, batch, schedules);
  await engine.applyCipher(batch);
  await engine.authenticate(batch);
  writeTags(batch);
}

/** {@link sealBatch} without waiting. */
export function sealBatchSync(
  engine: SyncCryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): void {
  deriveKeysSync(engine, batch, schedules);
  engine.applyCipher(batch);
  engine.authenticate(batch);
  writeTags(batch);
}

/**
 * Checks the tag of every wanted datagram; where it is wrong the datagram is
 * not wanted any more. The keys to decrypt the others are ready afterwards.
 */
export async function authenticateBatch(
  engine: CryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): Promise<void> {
  await deriveKeys(engine, batch, schedules);
  await engine.authenticate(batch);
  dropWrongTags(batch);
}

/** {@link authenticateBatch} without waiting. */
export function authenticateBatchSync(
  engine: SyncCryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): void {
  deriveKeysSync(engine, batch, schedules);
  engine.authenticate(batch);
  dropWrongTags(batch);
}

async function deriveKeys(
  engine: CryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): Promise<void> {
  const runs: (void | Promise<void>)[] = [];
  deriveInRuns(batch, schedules, (master, at, blocks) => {
    runs.push(engine.encryptBlocks(master, batch.memory, at, blocks));
  });
  await Promise.all(runs);
  saltsToCounters(batch);
}

function deriveKeysSync(
  engine: SyncCryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): void {
  deriveInRuns(batch, schedules, (master, at, blocks) => {
    engine.encryptBlocks(master, batch.memory, at, blocks);
  });
  saltsToCounters(batch);
}

function writeTags(batch: DatagramBatch): void {
  if (batch.params.tagLength === 0) return;
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] === 1) writeTag(batch, i);
  }
}

function dropWrongTags(batch: DatagramBatch): void {
  if (batch.params.tagLength === 0) return;
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] === 1 && !tagMatches(batch, i)) batch.wanted[i] = 0;
  }
}
