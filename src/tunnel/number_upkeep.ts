// Upkeep of numbers while a tunnel runs: they are kept ahead of their use, and
// exactly at its end.
import type { Delay } from "../net/resolver.ts";
import type { KeptState } from "../state/kept_state.ts";
import type { ConnectionTable } from "./connection_table.ts";

/** At a million packets a second a twentieth of the first block. */
const LOOK_MS = 100;

interface UpkeepClock {
  readonly delay: Delay;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class NumberUpkeep {
  readonly #table: ConnectionTable;
  readonly #state: KeptState | undefined;
  readonly #clock: UpkeepClock;

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
    const { delay, now } = this.#clock;
    let second = 0;
    while (!stop.aborted) {
      this.#table.keepNumbersAhead();
      const seconds = Math.floor(now() / 1000);
      if (seconds !== second) this.#state?.look(seconds);
      second = seconds;
      await delay(LOOK_MS, stop).catch(() => {});
    }
  }

  /** When nothing is sent nor accepted; resolves when that is on the disk. */
  async close(): Promise<void> {
    this.#table.settleNumbers();
    await this.#state?.close();
  }
}
