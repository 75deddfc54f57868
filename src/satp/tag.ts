/**
 * Authentication tags: the last bytes of an HMAC-SHA1 (SATP section 4.1).
 *
 * @module
 */
import type { DatagramBatch } from "./batch.ts";

/** Appends the tag of datagram `i` behind its ciphertext. */
export function writeTag(batch: DatagramBatch, i: number): void {
  const { memory } = batch;
  const from = batch.tagAt(i);
  const to = (batch.at[i] ?? 0) + (batch.size[i] ?? 0);
  for (let k = 0; k < batch.params.tagLength; k++) {
    memory[to + k] = memory[from + k] ?? 0;
  }
}

/**
 * Compares the tag behind the ciphertext of datagram `i` with the one that it
 * must have, in a time that does not depend on where they differ.
 */
export function tagMatches(batch: DatagramBatch, i: number): boolean {
  const { memory } = batch;
  const expected = batch.tagAt(i);
  const found = (batch.at[i] ?? 0) + (batch.size[i] ?? 0);
  let difference = 0;
  for (let k = 0; k < batch.params.tagLength; k++) {
    difference |= (memory[expected + k] ?? 0) ^ (memory[found + k] ?? 0);
  }
  return difference === 0;
}
