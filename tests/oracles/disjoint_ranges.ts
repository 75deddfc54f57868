// The ranges of prefixes, all made anew: slow, and easy to believe.
import { NO_MUX } from "../../src/route/ranges.ts";

export interface NumberPrefix {
  /** Bits behind the prefix are ignored. */
  readonly number: bigint;
  /** More than the bits of an address count as all of them. */
  readonly length: number;
  readonly mux: number;
}

/** Up to the start of the next range. */
export interface AddressRange {
  readonly start: bigint;
  readonly mux: number;
}

interface Block {
  readonly start: bigint;
  readonly end: bigint;
  readonly mux: number;
}

/**
 * Covers all addresses with their longest prefixes; of equal ones the last counts.
 *
 * @returns By ascending start from 0; at most twice as many as prefixes, and one
 */
export function disjointRanges(
  bits: number,
  prefixes: Iterable<NumberPrefix>,
): AddressRange[] {
  const size = 1n << BigInt(bits);
  const ranges: AddressRange[] = [];
  const covering: Block[] = [];
  const muxOfTop = () => covering.at(-1)?.mux ?? NO_MUX;
  const closeBefore = (address: bigint) => {
    for (let top = covering.at(-1); top && top.end <= address;) {
      covering.pop();
      begin(ranges, top.end, muxOfTop());
      top = covering.at(-1);
    }
  };

  begin(ranges, 0n, NO_MUX);
  for (const block of blocksOf(bits, prefixes)) {
    closeBefore(block.start);
    covering.push(block);
    begin(ranges, block.start, block.mux);
  }
  closeBefore(size - 1n);
  return ranges;
}

/** Unless the range before simply goes on. */
function begin(ranges: AddressRange[], start: bigint, mux: number): void {
  if (ranges.at(-1)?.start === start) ranges.pop();
  if (ranges.at(-1)?.mux !== mux) ranges.push({ start, mux });
}

/** Outer ones before inner ones. */
function blocksOf(bits: number, prefixes: Iterable<NumberPrefix>): Block[] {
  const blocks = new Map<string, Block>();
  for (const { number, length, mux } of prefixes) {
    const free = BigInt(bits - Math.min(length, bits));
    const start = number >> free << free;
    blocks.set(`${start}/${free}`, { start, end: start + (1n << free), mux });
  }
  return [...blocks.values()].sort((a, b) =>
    compareNumbers(a.start, b.start) || compareNumbers(b.end, a.end)
  );
}

function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
