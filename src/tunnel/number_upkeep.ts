// Upkeep of numbers while a tunnel runs: they are kept ahead of their use, and
// exactly at its end.
import type { Every } from "../net/every.ts";
import type { KeptState } from "../state/kept_state.ts";
import type { ConnectionTable } from "./connection_table.ts";

/** At a million packets a second a twentieth of the first block. */
const LOOK_MS = 100;

interface UpkeepClock {
  readonly every: Every;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class NumberUpkeep {
  readonly #table: ConnectionTable;
  readonly #state: KeptState | undefined;
  readonly #clock: UpkeepClock;
  #second = 0;

  /** @param state Without it numbers that may wrap are looked after alone */
  constructor(
    table: ConnectionTable,
    state: KeptState | undefined,
    clock: UpkeepClock,
  ) {
    this.#table = table;
    this.#state = state;
    this.#clock = clock;
  }

  async run(stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    this.#look();
    await this.#clock.every(LOOK_MS, () => this.#look(), stop);
  }

  /** When nothing is sent nor accepted; resolves when that is on the disk. */
  async close(): Promise<void> {
    this.#table.settleNumbers();
    await this.#state?.close();
  }

  #look(): void {
    this.#table.keepNumbersAhead();
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) this.#state?.look(second);
    this.#second = second;
  }
}
