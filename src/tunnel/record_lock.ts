// Locks and versions of records in memory that the threads share. Every change
// happens under the lock and moves the version.
//
// A thread that died within a change leaves the lock behind: the others throw
// after a while instead of waiting for ever.

// Places within a record, in words.
const LOCK = 0;
const VERSION = 1;

/** Tries for a lock before sleeping: a change is a few stores long. */
const SPINS = 1000;
const LOCK_SLEEP_MS = 100;
/**
 * How long a lock is waited for, in ms. Only a dead thread keeps it that long;
 * counted in naps, so that a process that was stopped loses only one.
 */
const LOCK_TIMEOUT_MS = 2000;

export class RecordLocks {
  readonly #words: Int32Array;
  readonly #stride: number;

  /** @param stride Words of a record */
  constructor(shared: SharedArrayBuffer, stride: number) {
    this.#words = new Int32Array(shared);
    this.#stride = stride;
  }

  version(record: number): number {
    return Atomics.load(this.#words, record + VERSION);
  }

  /** @throws {Error} if another thread seems to have died with the lock */
  change<T>(record: number, change: () => T): T {
    this.#acquire(record);
    try {
      return change();
    } finally {
      Atomics.add(this.#words, record + VERSION, 1);
      this.#release(record);
    }
  }

  /** @throws as {@link change} */
  read<T>(record: number, copy: () => T): T {
    this.#acquire(record);
    try {
      return copy();
    } finally {
      this.#release(record);
    }
  }

  #acquire(record: number): void {
    const at = record + LOCK;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, at, 0, 1) === 0) return;
    }
    for (let waited = 0; waited < LOCK_TIMEOUT_MS;) {
      const end = Atomics.wait(this.#words, at, 1, LOCK_SLEEP_MS);
      if (end === "timed-out") waited += LOCK_SLEEP_MS;
      if (Atomics.compareExchange(this.#words, at, 0, 1) === 0) return;
    }
    throw new Error(
      `Cannot use the connection of mux ${record / this.#stride}: ` +
        `another thread has held it for ${LOCK_TIMEOUT_MS} ms`,
    );
  }

  #release(record: number): void {
    const at = record + LOCK;
    Atomics.store(this.#words, at, 0);
    Atomics.notify(this.#words, at);
  }
}
