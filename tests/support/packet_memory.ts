/**
 * A packet memory for tests, in which stray writes show.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  openPacketMemory,
  type PacketMemory,
} from "../../src/offload/bytes.ts";

/** What a byte is that nobody has written. */
const UNTOUCHED = 0xa5;

/** A range of the memory: where it begins and its size in bytes. */
export type Range = readonly [at: number, size: number];

/** Memory with packets in it. */
export class TestMemory {
  /** All bytes. */
  readonly bytes: Uint8Array;
  /** What the code under test gets. */
  readonly memory: PacketMemory;

  /** @param size in bytes, a multiple of 64 KiB */
  constructor(size: number) {
    const pages = size / 65536;
    const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.memory = openPacketMemory(wasm);
    this.bytes = new Uint8Array(wasm.buffer).fill(UNTOUCHED);
  }

  /** Puts bytes somewhere. */
  put(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
  }

  /** A copy of what is somewhere. */
  get(at: number, size: number): Uint8Array {
    return this.bytes.slice(at, at + size);
  }

  /** Fails if anything outside of the ranges has been written. */
  assertUntouchedOutside(...ranges: readonly Range[]): void {
    const rest = this.bytes.slice();
    for (const [at, size] of ranges) rest.fill(UNTOUCHED, at, at + size);
    const stray = rest.findIndex((byte) => byte !== UNTOUCHED);
    assert.equal(stray, -1, `a byte was written at ${stray}`);
  }
}

/** Bytes as text, so that a failed comparison is readable. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
