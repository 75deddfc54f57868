// Heartbeat of threads: whether each of them still goes round.
import type { Delay } from "../net/delay.ts";

/** Without packets a thread goes round every ten seconds (FLUSH_MS). */
const LONGEST_ROUND_MS = 25_000;

/** For a thread that is told to go round, on a host with much else to do. */
const ANSWER_MS = 3000;
const ANSWER_STEP_MS = 20;

interface Beat {
  readonly count: number;
  /** When it was first seen, in milliseconds. */
  readonly since: number;
}

export class Heartbeat {
  readonly #rounds: () => readonly number[];
  readonly #now: () => number;
  #beats: readonly Beat[] = [];

  /**
   * @param rounds How often each thread has gone round
   * @param now A clock that never goes back, in milliseconds
   */
  constructor(rounds: () => readonly number[], now: () => number) {
    this.#rounds = rounds;
    this.#now = now;
  }

  /**
   * However often it is asked. A thread is known to hang when two looks at it,
   * as far apart as its longest round, have found it at the same place.
   */
  get isAlive(): boolean {
    const now = this.#now();
    this.#beats = this.#rounds().map((count, k) => {
      const last = this.#beats[k];
      return last?.count === count ? last : { count, since: now };
    });
    return this.#beats.every(({ since }) => now - since <= LONGEST_ROUND_MS);
  }
}

/**
 * Has threads go round, and sees whether all of them do.
 * @param wake Has those go round that rest
 */
export async function goesRound(
  rounds: () => readonly number[],
  wake: () => void,
  delay: Delay,
): Promise<boolean> {
  const before = rounds();
  const isGone = () => rounds().some((count, k) => count === before[k]);
  for (let waited = 0; isGone(); waited += ANSWER_STEP_MS) {
    if (waited >= ANSWER_MS) return false;
    wake();
    await delay(ANSWER_STEP_MS);
  }
  return true;
}
