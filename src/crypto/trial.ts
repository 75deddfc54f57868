// Trial of two ways to do the same, beside the work.

/** Turns of the trial; in the first half the compiler is still at work. */
const TURNS = 1024;

type Way = "first" | "second";

/**
 * The ways take turns, and the one that was faster more often stays. The best
 * times would not do: those are of moments when the processor had nothing else
 * to do, and the work that matters comes when it has.
 */
export class Trial {
  readonly #now: () => number;
  #turns = 0;
  #began = 0;
  #costOfFirst = 0;
  /** How often the second one was faster, less how often it was not. */
  #lead = 0;

  /** @param now A clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The first one until the other is known to be faster. */
  get best(): Way {
    return this.#isOver && this.#lead > 0 ? "second" : "first";
  }

  /** The way to go, until {@link end}. */
  begin(): Way {
    if (this.#isOver) return this.best;
    this.#began = this.#now();
    return this.#turns % 2 === 0 ? "first" : "second";
  }

  /** @param amount Of work since {@link begin} */
  end(amount: number): void {
    if (this.#isOver) return;
    const cost = (this.#now() - this.#began) / amount;
    const turn = this.#turns++;
    if (turn % 2 === 0) this.#costOfFirst = cost;
    else if (turn >= TURNS / 2) this.#lead += cost < this.#costOfFirst ? 1 : -1;
  }

  get #isOver(): boolean {
    return this.#turns >= TURNS;
  }
}
