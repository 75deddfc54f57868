// The two ways of a batch through the engine: sealing (SATP section 5) and
// opening (SATP section 6). Opening stops between authentication and decryption,
// because there the caller decides: replay window, endpoint, payload size.
import type { DatagramBatch } from "./batch.ts";
import type { CryptoEngine, MaybePromise, SyncCryptoEngine } from "./engine.ts";
import { HEADER_BYTES } from "./header.ts";
import { deriveKeys, type Schedules, writeCounter } from "./key_derivation.ts";

type Step = (
  engine: CryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
) => MaybePromise<void>;

/** Done on return, if the engine is. */
interface Pipeline {
  (engine: SyncCryptoEngine, batch: DatagramBatch, schedules: Schedules): void;
  (
    engine: CryptoEngine,
    batch: DatagramBatch,
    schedules: Schedules,
  ): MaybePromise<void>;
}

/** Makes header, ciphertext and tag of header, payload type and payload. */
export const sealBatch: Pipeline = pipeline([
  (_, batch, schedules) => deriveKeys(batch, schedules),
  applyCipher,
  authenticate,
  writeTags,
]);

/** Datagrams with a wrong tag are not wanted any more. */
export const authenticateBatch: Pipeline = pipeline([
  (_, batch, schedules) => deriveKeys(batch, schedules),
  authenticate,
  dropWrongTags,
]);

function pipeline(steps: readonly Step[]): Pipeline {
  return (engine, batch, schedules) =>
    runFrom(0, steps, engine, batch, schedules);
}

function runFrom(
  first: number,
  steps: readonly Step[],
  engine: CryptoEngine,
  batch: DatagramBatch,
  schedules: Schedules,
): MaybePromise<void> {
  for (let k = first; k < steps.length; k++) {
    const done = steps[k]?.(engine, batch, schedules);
    if (done instanceof Promise) {
      return runAfter(done, k + 1, steps, engine, batch, schedules);
    }
  }
}

async function runAfter(
  before: Promise<void>,
  ...rest: Parameters<typeof runFrom>
): Promise<void> {
  await before;
  await runFrom(...rest);
}

/** Encrypts or decrypts, the same in CTR mode; uses up the derived salt. */
export function applyCipher(
  engine: SyncCryptoEngine,
  batch: DatagramBatch,
): void;
export function applyCipher(
  engine: CryptoEngine,
  batch: DatagramBatch,
): MaybePromise<void>;
export function applyCipher(
  engine: CryptoEngine,
  batch: DatagramBatch,
): MaybePromise<void> {
  const { cipherKeyBytes, counterAt } = batch.layout;
  if (cipherKeyBytes === 0) return;
  const cipher = engine.beginCipher(batch.memory, cipherKeyBytes);
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] !== 1) continue;
    const keyAt = batch.keysAt(i);
    const at = batch.startOf(i);
    writeCounter(batch, keyAt + counterAt, at);
    const size = batch.sizeOf(i) - HEADER_BYTES;
    cipher.run(keyAt, keyAt + counterAt, at + HEADER_BYTES, size);
  }
  return cipher.flush();
}

function authenticate(
  engine: CryptoEngine,
  batch: DatagramBatch,
): MaybePromise<void> {
  if (batch.params.tagLength === 0) return;
  const { authKeyAt } = batch.layout;
  const mac = engine.beginMac(batch.memory, batch.count);
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] !== 1) continue;
    const keyAt = batch.keysAt(i) + authKeyAt;
    mac.run(keyAt, batch.startOf(i), batch.sizeOf(i), batch.macAt(i));
  }
  return mac.flush();
}

function writeTags(_: CryptoEngine, batch: DatagramBatch): void {
  const { memory, params: { tagLength } } = batch;
  if (tagLength === 0) return;
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] !== 1) continue;
    const from = batch.tagAt(i);
    const to = batch.endOf(i);
    for (let k = 0; k < tagLength; k++) memory[to + k] = memory[from + k] ?? 0;
  }
}

function dropWrongTags(_: CryptoEngine, batch: DatagramBatch): void {
  if (batch.params.tagLength === 0) return;
  for (let i = 0; i < batch.count; i++) {
    if (batch.wanted[i] === 1 && !tagMatches(batch, i)) batch.wanted[i] = 0;
  }
}

// In a time that does not depend on where the tags differ.
function tagMatches(batch: DatagramBatch, i: number): boolean {
  const { memory, params: { tagLength } } = batch;
  const expected = batch.tagAt(i);
  const found = batch.endOf(i);
  let difference = 0;
  for (let k = 0; k < tagLength; k++) {
    difference |= (memory[expected + k] ?? 0) ^ (memory[found + k] ?? 0);
  }
  return difference === 0;
}
