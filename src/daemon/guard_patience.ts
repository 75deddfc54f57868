// Patience of a guard that waits for beats. Threads of the data plane and the main
// thread are judged apart: a main thread that makes a long report, or waits for
// a disk, carries on; a process that is stopped has neither beat.
import { BEAT, type GuardSetup } from "./guard_setup.ts";

/** So late no timer is, but where nobody runs. */
const PAUSED_MS = 500;
const GRACE_MS = 300;

type Patience = Pick<GuardSetup, "patience" | "mainPatience">;

export class GuardPatience {
  readonly #patience: Patience;
  readonly #now: () => number;
  /** When a beat has to have come. */
  #mainDue = Infinity;
  #threadDue = Infinity;
  /** Without a thread that beats the main thread is the one that carries. */
  #hasThread = false;

  /** @param now Milliseconds of a monotonic clock */
  constructor(patience: Patience, now: () => number) {
    this.#patience = patience;
    this.#now = now;
  }

  /** Milliseconds, or Infinity: without a first beat there is none to miss. */
  get left(): number {
    const left = this.#due() - this.#now();
    return left === Infinity ? left : Math.max(0, Math.ceil(left));
  }

  heard(word: string): void {
    const { patience, mainPatience } = this.#patience;
    const now = this.#now();
    if (word === BEAT) {
      this.#mainDue = now + (this.#hasThread ? mainPatience : patience);
      // It may announce itself anew, which is of no use without the thread.
      const isAwaited = this.#hasThread && this.#threadDue === Infinity;
      if (isAwaited) this.#threadDue = now + patience;
      return;
    }
    if (!this.#hasThread && this.#mainDue !== Infinity) {
      this.#mainDue += mainPatience - patience;
    }
    this.#hasThread = true;
    this.#threadDue = now + patience;
  }

  /** Whether a beat is overdue; told once, until the main thread beats. */
  isOver(): boolean {
    const now = this.#now();
    const late = now - this.#due();
    if (late < 0) return false;
    if (late > PAUSED_MS) {
      // Not the daemon alone was stopped, but this process, or the machine.
      const next = now + GRACE_MS;
      if (this.#mainDue <= now) this.#mainDue = next;
      if (this.#threadDue <= now) this.#threadDue = next;
      return false;
    }
    this.#mainDue = Infinity;
    this.#threadDue = Infinity;
    return true;
  }

  #due(): number {
    return Math.min(this.#mainDue, this.#threadDue);
  }
}
