// Trial of two ways to do the same, beside the work.

/** Turns of the trial; in the first half the compiler is still at work. */
const TURNS = 1024;

export type Way = "first" | "second";

/** The ways take turns until one has been faster at its best. */
export class Trial {
  readonly #now: () => number;
  #turns = 0;
  #began = 0;
  #first = Infinity;
  #second = Infinity;

  /** @param now A clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The first one until the other is known to be faster. */
  get best(): Way {
    return this.#isOver && this.#second < this.#first ? "second" : "first";
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
    if (turn < TURNS / 2) return;
    if (turn % 2 === 0) this.#first = Math.min(this.#first, cost);
    else this.#second = Math.min(this.#second, cost);
  }

  get #isOver(): boolean {
    return this.#turns >= TURNS;
  }
}
