/**
 * Packets given to a coalescer, and what it writes.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  Coalescer,
  type CoalescerOptions,
  type GatherSink,
  SCRATCH_SIZE,
} from "../../src/offload/coalesce.ts";
import { TestMemory } from "./packet_memory.ts";
import { concat } from "../../lab/packets.ts";
import { assertSound } from "../../lab/super_packets.ts";

const SCRATCH = 64;
const PACKETS = 65536;

/** Keeps a copy of all that is written to it. */
export class RecordingSink implements GatherSink {
  /** What was written, virtio headers included. */
  readonly writes: Uint8Array[] = [];
  /** Of how many packets all that is. */
  packets = 0;
  readonly #test: TestMemory;

  /** @param test the memory in which the pieces are */
  constructor(test: TestMemory) {
    this.#test = test;
  }

  /** Copies the pieces. */
  write(
    at: Uint32Array,
    size: Uint32Array,
    count: number,
    packets: number,
  ): void {
    this.packets += packets;
    const pieces = Array.from(
      at.subarray(0, count),
      (place, i) => this.#test.get(place, size[i] ?? 0),
    );
    this.writes.push(concat(...pieces));
  }
}

/**
 * Gives packets to a coalescer, as one batch, and flushes it. Fails if anything
 * but its scratch space has changed, or if a super-packet has wrong headers.
 *
 * @param packets in their order
 * @param options of the coalescer
 * @param untouched what a byte of the memory is that is in no packet
 * @returns its writes
 */
export function coalesce(
  packets: readonly Uint8Array[],
  options: Partial<CoalescerOptions> = {},
  untouched?: number,
): Uint8Array[] {
  const total = packets.reduce((sum, packet) => sum + packet.length, 0);
  const pages = Math.ceil((PACKETS + total) / 65536) + 1;
  const test = new TestMemory(pages * 65536, untouched);
  const sink = new RecordingSink(test);
  const coalescer = new Coalescer(test.memory, SCRATCH, sink, {
    ethernet: false,
    tcp: true,
    udp: true,
    ...options,
  });
  // Side by side, so that a read beyond a packet meets another.
  const all = concat(...packets);
  test.put(PACKETS, all);
  let at = PACKETS;
  for (const packet of packets) {
    coalescer.add(at, packet.length);
    at += packet.length;
  }
  coalescer.flush();
  assert.equal(sink.packets, packets.length);
  sink.writes.filter((write) => write[1] !== 0).forEach(assertSound);
  test.assertUntouchedOutside([SCRATCH, SCRATCH_SIZE], [PACKETS, total]);
  test.assertHolds(PACKETS, all);
  return sink.writes;
}
