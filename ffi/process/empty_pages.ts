// Empty memory in place of pages of a file.

import type { ProcessLibc } from "./libc.ts";

// include/uapi/asm-generic/mman-common.h
const PROT_READ_WRITE = 3;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

/**
 * Whoever still has them reads zeros; what is written there is in no file.
 * @param path For messages
 */
export function emptyPages(
  libc: ProcessLibc,
  address: bigint,
  bytes: bigint,
  path: string,
): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  const { mmap } = libc.process;
  const start = mmap(address, bytes, PROT_READ_WRITE, flags, -1, 0n);
  if (start === address) return;
  throw libc.error(`replace what is mapped of '${path}'`, "mmap");
}
