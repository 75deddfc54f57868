// Pages of a file as memory: what is written to them is in the file, also when
// the process is killed at once afterwards.

import { emptyPages } from "./empty_pages.ts";
import type { ProcessLibc } from "./libc.ts";

// include/uapi/asm-generic/mman-common.h, mman.h
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const MS_SYNC = 4;

/** Where all threads of the process find them. */
export interface PagesPlace {
  readonly address: bigint;
  readonly bytes: number;
}

export class SharedPages {
  readonly place: PagesPlace;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #libc: ProcessLibc;
  readonly #path: string;
  readonly #sync: ProcessLibc["process"]["msyncInBackground"];

  /** @param path For messages */
  static map(
    libc: ProcessLibc,
    fd: number,
    bytes: number,
    path: string,
  ): SharedPages {
    const { mmap } = libc.process;
    const size = BigInt(bytes);
    const address = mmap(0n, size, PROT_READ_WRITE, MAP_SHARED, fd, 0n);
    if (address === MAP_FAILED) throw libc.error(`map '${path}'`, "mmap");
    return new SharedPages(libc, { address, bytes }, path);
  }

  private constructor(libc: ProcessLibc, place: PagesPlace, path: string) {
    this.#libc = libc;
    this.#path = path;
    // Now: what is looked up for the first time in a jail may not be found.
    this.#sync = libc.process.msyncInBackground;
    this.place = place;
    this.words = wordsAt(place);
  }

  /** Writes them to the disk, and leaves this thread free meanwhile. */
  async sync(): Promise<void> {
    const { address, bytes } = this.place;
    const start = Deno.UnsafePointer.create(address);
    await this.#sync(start, BigInt(bytes), MS_SYNC);
  }

  /**
   * Lets go of the file. The addresses stay, since what is not collected yet may
   * still read there.
   */
  release(): void {
    const { address, bytes } = this.place;
    emptyPages(this.#libc, address, BigInt(bytes), this.#path);
  }
}

/** The same pages, in any thread. */
export function wordsAt(
  { address, bytes }: PagesPlace,
): Uint32Array<ArrayBuffer> {
  const start = Deno.UnsafePointer.create(address);
  if (start === null) throw new Error("Cannot use pages that are not there");
  return new Uint32Array(Deno.UnsafePointerView.getArrayBuffer(start, bytes));
}
