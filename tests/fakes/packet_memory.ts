/**
 * A packet memory for tests, in which stray writes show.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  openPacketMemory,
  type PacketMemory,
} from "../../src/offload/bytes.ts";

/** A range of the memory: where it begins and its size in bytes. */
export type Range = readonly [at: number, size: number];

/** Memory with packets in it. */
export class TestMemory {
  /** All bytes. */
  readonly bytes: Uint8Array;
  /** What the code under test gets. */
  readonly memory: PacketMemory;
  readonly #untouched: number;

  /**
   * @param size in bytes, a multiple of 64 KiB
   * @param untouched what a byte is that nobody has written
   */
  constructor(size: number, untouched = 0xa5) {
    this.#untouched = untouched;
    const pages = size / 65536;
    const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.memory = openPacketMemory(wasm);
    this.bytes = new Uint8Array(wasm.buffer).fill(untouched);
  }

  /** Puts bytes somewhere. */
  put(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
  }

  /** A copy of what is somewhere. */
  get(at: number, size: number): Uint8Array {
    return this.bytes.slice(at, at + size);
  }

  /** Fails if something else than these bytes is somewhere. */
  assertHolds(at: number, bytes: Uint8Array): void {
    const changed = bytes.findIndex((byte, i) => byte !== this.bytes[at + i]);
    assert.equal(changed, -1, `the byte at ${at + changed} has changed`);
  }

  /** Fails if anything outside of the ranges has been written. */
  assertUntouchedOutside(...ranges: readonly Range[]): void {
    const expected = new Uint8Array(this.bytes.length).fill(this.#untouched);
    for (const [at, size] of ranges) expected.set(this.get(at, size), at);
    if (Buffer.compare(expected, this.bytes) === 0) return;
    const stray = this.bytes.findIndex((byte, i) => byte !== expected[i]);
    assert.fail(`a byte was written at ${stray}`);
  }
}

/** Bytes as text, so that a failed comparison is readable. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
