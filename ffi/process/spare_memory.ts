// Memory that was needed once, given back to the system.

import type { ProcessLibc } from "./libc.ts";

// include/uapi/linux/auxvec.h
const AT_PHDR = 3n;
const AT_PHENT = 4n;
const AT_PHNUM = 5n;

// Elf64_Phdr, elf(5)
const TYPE_AT = 0;
const FLAGS_AT = 4;
const ADDRESS_AT = 16;
const SIZE_AT = 40;
const PT_LOAD = 1;
const PT_PHDR = 6;
const PF_W = 2;

/** Of the largest pages that a kernel of a supported machine has. */
const PAGE_MASK = 65535n;

/** include/uapi/asm-generic/mman-common.h */
const MADV_DONTNEED = 4;

/** Gives back what was freed. The C library keeps it otherwise. */
export function trimHeap(libc: ProcessLibc): void {
  libc.process.malloc_trim?.(0);
}

/**
 * Takes the program's file out of the address space of the process, but not
 * out of the page cache: what is still needed is back with the next access. So
 * a start that went through most of a large program does not count for ever.
 */
export function dropProgramPages(libc: ProcessLibc): void {
  for (const { address, size } of readOnlySegments(libc)) {
    const start = Deno.UnsafePointer.create(address);
    libc.process.madvise(start, size, MADV_DONTNEED);
  }
}

interface Segment {
  readonly address: bigint;
  readonly size: bigint;
}

/**
 * The whole pages of what the loader has mapped from the program's file, but
 * for what it may have written to: so nothing can be lost. Found without /proc,
 * which a daemon may not have any more.
 */
function readOnlySegments({ process }: ProcessLibc): readonly Segment[] {
  const address = process.getauxval(AT_PHDR);
  const table = Deno.UnsafePointer.create(address);
  if (table === null) return [];
  const headers = new Deno.UnsafePointerView(table);
  const size = Number(process.getauxval(AT_PHENT));
  const count = Number(process.getauxval(AT_PHNUM));
  const places = Array.from({ length: count }, (_, k) => k * size);
  const typeAt = (at: number) => headers.getUint32(at + TYPE_AT);
  const placeOfTable = places.find((at) => typeAt(at) === PT_PHDR);
  if (placeOfTable === undefined) return [];
  const bias = address - headers.getBigUint64(placeOfTable + ADDRESS_AT);
  return places
    .filter((at) => typeAt(at) === PT_LOAD)
    .filter((at) => (headers.getUint32(at + FLAGS_AT) & PF_W) === 0)
    .map((at) => {
      const start = bias + headers.getBigUint64(at + ADDRESS_AT);
      const end = start + headers.getBigUint64(at + SIZE_AT);
      return wholePages(start, end);
    })
    .filter(({ size }) => size > 0n);
}

function wholePages(start: bigint, end: bigint): Segment {
  const address = start + PAGE_MASK & ~PAGE_MASK;
  return { address, size: (end & ~PAGE_MASK) - address };
}
