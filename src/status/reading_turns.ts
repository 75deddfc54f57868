// Turns of those who read what is written while they read it: each source has
// one at a time, and not too often.
import type { Delay } from "../net/delay.ts";

/** From one turn to the next one of a source, at least. */
const TURN_MS = 200;

/** Longer than an answer takes: before it the other one is slow. */
const PATIENCE_MS = 5000;

interface Waiting {
  readonly turn: (isMine: boolean) => void;
}

export class ReadingTurns {
  readonly #delay: Delay;
  /** In order of arrival, by the sources whose turn somebody has. */
  readonly #waiting = new Map<string, Set<Waiting>>();

  constructor(delay: Delay) {
    this.#delay = delay;
  }

  /**
   * @param gone When whoever asks waits no more, at the end of the turn at last
   * @returns undefined if it has not come in time
   */
  async take(
    source: string,
    gone: AbortSignal,
  ): Promise<Disposable | undefined> {
    const waiting = this.#waiting.get(source);
    if (waiting === undefined) this.#waiting.set(source, new Set());
    else if (!await this.#isReached(waiting, gone)) return undefined;
    const rest = this.#delay(TURN_MS);
    const pass = () => this.#pass(source);
    return { [Symbol.dispose]: () => void rest.then(pass, pass) };
  }

  async #isReached(
    waiting: Set<Waiting>,
    gone: AbortSignal,
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const own = { turn: resolve };
    waiting.add(own);
    const giveUp = () => {
      // What has been passed on has to be taken.
      if (waiting.delete(own)) resolve(false);
    };
    void this.#delay(PATIENCE_MS, gone).then(giveUp, giveUp);
    return await promise;
  }

  #pass(source: string): void {
    const waiting = this.#waiting.get(source) ?? new Set();
    const [next] = waiting;
    if (next === undefined) {
      this.#waiting.delete(source);
      return;
    }
    waiting.delete(next);
    next.turn(true);
  }
}
