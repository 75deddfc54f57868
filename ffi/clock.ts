// Time that is read without an allocation. The runtime's own clocks answer with
// a new object wherever the compiler does not merge the call with its caller.

import type { Libc } from "./libc.ts";

/** include/uapi/linux/time.h */
const CLOCK_MONOTONIC = 1;

// struct timespec { time_t tv_sec; long tv_nsec; }, as pairs of words.
const TIMESPEC_WORDS = 4;
const NANOSECONDS = 2;

/** A clock that never goes back, of one thread. */
export class SteadyClock {
  readonly #libc: Libc;
  readonly #timespec = new Uint32Array(TIMESPEC_WORDS);
  readonly #time = new Float64Array(1);
  #origin = 0;

  /** @param timeOfDay In milliseconds since 1970: what it goes on from. */
  constructor(libc: Libc, timeOfDay: number) {
    this.#libc = libc;
    this.#origin = timeOfDay - this.now();
  }

  /** In milliseconds. */
  now(): number {
    this.#read();
    return this.#time[0] ?? 0;
  }

  #read(): void {
    const timespec = this.#timespec;
    this.#libc.symbols.clock_gettime(CLOCK_MONOTONIC, timespec);
    const seconds = timespec[0] ?? 0;
    const nanoseconds = timespec[NANOSECONDS] ?? 0;
    this.#time[0] = this.#origin + seconds * 1000 + nanoseconds / 1e6;
  }
}

/** @returns The time of CLOCK_MONOTONIC, which begins at the system's start. */
export function monotonicMicroseconds(libc: Libc): number {
  const time = new BigInt64Array(2);
  if (libc.symbols.clock_gettime(CLOCK_MONOTONIC, time) !== 0) {
    throw libc.error("read the clock", "clock_gettime");
  }
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds * 1_000_000n + nanoseconds / 1000n);
}
