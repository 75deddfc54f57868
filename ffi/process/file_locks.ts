// Locks of an open file, not of a process: the kernel takes them back however
// the program ends, and two of one program exclude each other.

import { Errno } from "../errno.ts";
import { F } from "../flags.ts";
import type { ProcessLibc } from "./libc.ts";

// struct flock { short type, whence; off_t start, len; pid_t pid; }
const FLOCK_SIZE = 32;
const START_AT = 8;
const LENGTH_AT = 16;
/** include/uapi/asm-generic/fcntl.h */
const F_WRLCK = 1;
const F_UNLCK = 2;

/** For locks that others keep for as long as a few files are written. */
const NAP_MS = 10;
const MOST_NAPS = 100;

export class FileLocks {
  readonly #libc: ProcessLibc;
  readonly #fd: number;
  readonly #path: string;
  /** Whoever has a place has had it for longer than files are written. */
  #isStuck = false;

  /** @param fd Open for writing. */
  constructor(libc: ProcessLibc, fd: number, path: string) {
    this.#libc = libc;
    this.#fd = fd;
    this.#path = path;
  }

  /**
   * @param first From 0 on; the file needs not be that long.
   * @returns Whether nobody else has one of these places.
   */
  take(first: number, count: number): boolean {
    return this.#set(F_WRLCK, first, count);
  }

  /**
   * As {@link take}, but waits for up to a second. After that was in vain, not
   * again before the lock was had.
   */
  wait(first: number, count: number): boolean {
    // Without an end a process that was stopped would stop this one, too, and so
    // it would if each of many tries took its second.
    const most = this.#isStuck ? 0 : MOST_NAPS;
    let isTaken = this.take(first, count);
    for (let nap = 0; nap < most && !isTaken; nap++) {
      const never = new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(never, 0, 0, NAP_MS);
      isTaken = this.take(first, count);
    }
    this.#isStuck = !isTaken;
    return isTaken;
  }

  release(first: number, count: number): void {
    this.#set(F_UNLCK, first, count);
  }

  #set(type: number, start: number, length: number): boolean {
    const flock = new DataView(new ArrayBuffer(FLOCK_SIZE));
    flock.setInt16(0, type, true);
    flock.setBigInt64(START_AT, BigInt(start), true);
    flock.setBigInt64(LENGTH_AT, BigInt(length), true);
    const { fcntlLock } = this.#libc.process;
    const bytes = new Uint8Array(flock.buffer);
    if (fcntlLock(this.#fd, F.OFD_SETLK, bytes) === 0) return true;
    const error = this.#libc.error(`lock '${this.#path}'`, "fcntl");
    if (error.errno === Errno.EAGAIN || error.errno === Errno.EACCES) {
      return false;
    }
    throw error;
  }
}
