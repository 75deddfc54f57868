// Locks and versions of records in memory that the threads share. Every change
// happens under the lock and moves the version.
//
// Who has a lock needs it for a few stores, but may be kept from them for
// seconds: by a page of the program that comes from a slow disk, or by others on
// its processor. Nothing is wrong then, and the others wait. A thread that died
// within a change leaves the lock behind: how long is waited for that, each
// thread says.

// Places within a record, in words.
const LOCK = 0;
const VERSION = 1;

/** Tries for a lock before sleeping: a change is a few stores long. */
const SPINS = 1000;
const LOCK_SLEEP_MS = 100;
/** From then on a wait is worth a line, in ms. */
const LONG_WAIT_MS = 2000;
/** Only a dead thread keeps a lock that long. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Asked after each nap behind a lock, whether to wait on.
 *
 * @param waited So far, in ms; counted in naps, so that a process that was
 * stopped loses only one
 */
export type LockPatience = (mux: number, waited: number) => boolean;

/** @param tell Called when a wait becomes a long one */
export function patience(
  tell: (mux: number) => void,
  isOver = (waited: number) => waited >= LONGEST_WAIT_MS,
): LockPatience {
  return (mux, waited) => {
    if (isOver(waited)) return false;
    if (waited === LONG_WAIT_MS) tell(mux);
    return true;
  };
}

/** What to say of it. */
export function longWaitText(mux: number): string {
  return `connection ${mux} is held by another thread of the daemon for ` +
    `${LONG_WAIT_MS / 1000} s: its packets wait (is the disk slow, or the ` +
    "machine too busy?)";
}

export class RecordLocks {
  readonly #words: Int32Array;
  readonly #stride: number;
  readonly #patience: LockPatience;

  /** @param stride Words of a record */
  constructor(
    shared: SharedArrayBuffer,
    stride: number,
    waitsOn: LockPatience = patience(() => {}),
  ) {
    this.#words = new Int32Array(shared);
    this.#stride = stride;
    this.#patience = waitsOn;
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
    const mux = record / this.#stride;
    let waited = 0;
    do {
      const end = Atomics.wait(this.#words, at, 1, LOCK_SLEEP_MS);
      if (end === "timed-out") waited += LOCK_SLEEP_MS;
      if (Atomics.compareExchange(this.#words, at, 0, 1) === 0) return;
    } while (this.#patience(mux, waited));
    throw new Error(
      `Cannot use the connection of mux ${mux}: another thread has held it ` +
        `for ${waited} ms`,
    );
  }

  #release(record: number): void {
    const at = record + LOCK;
    Atomics.store(this.#words, at, 0);
    Atomics.notify(this.#words, at);
  }
}
