// Lock of a record in memory that the threads share. A thread that died within
// a change leaves it behind: the others throw after a while instead of waiting
// for ever.

/** Tries for a lock before sleeping: a change is a few stores long. */
const SPINS = 1000;
const LOCK_SLEEP_MS = 100;
/**
 * How long a lock is waited for, in ms. Only a dead thread keeps it that long;
 * counted in naps, so that a process that was stopped loses only one.
 */
const LOCK_TIMEOUT_MS = 2000;

/** Locks of one word each. */
export class RecordLocks {
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /** @throws {Error} if another thread seems to be dead */
  acquire(at: number, mux: number): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, at, 0, 1) === 0) return;
    }
    for (let waited = 0; waited < LOCK_TIMEOUT_MS;) {
      const end = Atomics.wait(this.#words, at, 1, LOCK_SLEEP_MS);
      if (end === "timed-out") waited += LOCK_SLEEP_MS;
      if (Atomics.compareExchange(this.#words, at, 0, 1) === 0) return;
    }
    throw new Error(
      `Cannot use the connection of mux ${mux}: ` +
        `another thread has held it for ${LOCK_TIMEOUT_MS} ms`,
    );
  }

  release(at: number): void {
    Atomics.store(this.#words, at, 0);
    Atomics.notify(this.#words, at);
  }
}
