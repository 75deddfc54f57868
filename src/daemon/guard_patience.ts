// Patience of a guard that waits for beats. Each thread of the data plane and the
// main thread are judged apart: a main thread that makes a long report, or waits for
// a disk, carries on; a process that is stopped has neither beat.
import { threadOf } from "../tunnel/plane.ts";
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
  /** Without a thread that beats the main thread is the one that carries. */
  readonly #threadsDue = new Map<number, number>();

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
    const thread = threadOf(word);
    if (word === BEAT) this.#heardMain();
    else if (thread !== undefined) this.#heardThread(thread);
  }

  #heardMain(): void {
    const { patience, mainPatience } = this.#patience;
    const now = this.#now();
    const hasThreads = this.#threadsDue.size > 0;
    this.#mainDue = now + (hasThreads ? mainPatience : patience);
    // It may announce itself anew, which is of no use without all threads.
    for (const [thread, due] of this.#threadsDue) {
      if (due === Infinity) this.#threadsDue.set(thread, now + patience);
    }
  }

  #heardThread(thread: number): void {
    const { patience, mainPatience } = this.#patience;
    if (this.#threadsDue.size === 0 && this.#mainDue !== Infinity) {
      this.#mainDue += mainPatience - patience;
    }
    this.#threadsDue.set(thread, this.#now() + patience);
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
      for (const [thread, due] of this.#threadsDue) {
        if (due <= now) this.#threadsDue.set(thread, next);
      }
      return false;
    }
    this.#mainDue = Infinity;
    for (const thread of this.#threadsDue.keys()) {
      this.#threadsDue.set(thread, Infinity);
    }
    return true;
  }

  #due(): number {
    return Math.min(this.#mainDue, ...this.#threadsDue.values());
  }
}
