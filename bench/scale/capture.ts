// How long packets are inside of a daemon, from what the kernel sees at both
// ends of it: a capture of its device, and one of its wire.

import { quantile } from "../tunnel/statistics.ts";
import type { Wait } from "./processor_waits.ts";

/** Both directions of one place, in the order of the capture. */
export interface Passage {
  readonly in: readonly number[];
  readonly out: readonly number[];
}

/** What became of packets on their way through. */
export interface Transit {
  readonly packets: number;
  readonly lost: number;
  /** In ms. */
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
  /** The longest time that the daemon had it, and a processor. */
  readonly held: number;
  /** The thread that had the processor when a packet waited longest for one. */
  readonly behind: number | undefined;
}

/** Of captures, in ms: a day and more, so that parts of a microsecond are left. */
export function captureTime(seconds: number): number {
  return seconds % 100_000 * 1000;
}

const NANO_MAGIC = 0xa1b23c4d;
const GLOBAL_BYTES = 24;
const RECORD_BYTES = 16;

/** What a captured packet is, by its bytes from the link's header on. */
export interface Reading {
  isIn(packet: Uint8Array): boolean;
  /** The kernel sees several of one flow as one, which it has not cut yet. */
  count(packet: Uint8Array): number;
}

/** Reads a capture of tcpdump with times in ns. */
export function readCapture(
  file: Uint8Array<ArrayBuffer>,
  { isIn, count }: Reading,
): Passage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== NANO_MAGIC) {
    throw new Error("Cannot read the capture: its times are not in ns");
  }
  const passage = { in: [] as number[], out: [] as number[] };
  for (let at = GLOBAL_BYTES; at + RECORD_BYTES <= file.length;) {
    const time = captureTime(view.getUint32(at, true)) +
      view.getUint32(at + 4, true) / 1e6;
    const size = view.getUint32(at + 8, true);
    at += RECORD_BYTES;
    const packet = file.subarray(at, at + size);
    const way = isIn(packet) ? passage.in : passage.out;
    for (let k = count(packet); k > 0; k--) way.push(time);
    at += size;
  }
  return passage;
}

/**
 * Joins the packets of two places by their order.
 *
 * @param entered Where they came from, by time
 * @param waits Of the thread that carries them, by time
 */
export function transitOf(
  entered: readonly number[],
  left: readonly number[],
  waits: readonly Wait[],
): Transit {
  const packets = Math.min(entered.length, left.length);
  const ways = Array.from(
    { length: packets },
    (_, k) => ({ from: entered[k] ?? 0, to: left[k] ?? 0 }),
  );
  const times = ways.map(({ from, to }) => to - from);
  const waited = ways.map((way) => waitedWithin(way, waits));
  const longest = waited.toSorted((a, b) => b.ms - a.ms)[0];
  const at = (share: number) => packets === 0 ? NaN : quantile(times, share);
  return {
    packets,
    lost: entered.length - left.length,
    median: at(0.5),
    p99: at(0.99),
    worst: at(1),
    held: Math.max(...times.map((time, k) => time - (waited[k]?.ms ?? 0))),
    behind: longest?.behind,
  };
}

function waitedWithin(
  { from, to }: Pick<Wait, "from" | "to">,
  waits: readonly Wait[],
) {
  let low = 0;
  // The first one that ends within.
  for (let high = waits.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((waits[middle]?.to ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  let ms = 0;
  let behind: number | undefined;
  for (let k = low; k < waits.length; k++) {
    const wait = waits[k];
    if (wait === undefined || wait.from >= to) break;
    ms += Math.min(to, wait.to) - Math.max(from, wait.from);
    ({ behind } = wait);
  }
  return { ms, behind };
}
