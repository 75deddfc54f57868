// Clients that a daemon hears, and since when.
import type { Serving } from "../sync/view_message.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";
import type { World } from "./world.ts";

/** Longer than the pause between keep-alives that people choose. */
const SILENT_MS = 60_000;

/**
 * A client that another member has heard later, and that is heard here again,
 * has come back. Where its datagrams go to both, neither says so more often.
 */
const BACK_MS = 10_000;

/** What was heard before it could know of the other one does not count. */
const NEWS_MS = 2000;

type Clock = Pick<World, "now" | "steadyNow">;

interface Rival {
  /** In seconds since 1970, by the clock of the other member. */
  readonly since: number;
  /** When that came here, by the clock of the data plane. */
  readonly at: number;
}

export class ServedClients {
  readonly #table: Pick<ConnectionTable, "isLive" | "lastHeard" | "liveMuxes">;
  readonly #clock: Clock;
  /** Since when, in seconds since 1970, by mux. */
  readonly #since = new Map<number, number>();
  readonly #rivals = new Map<number, Rival>();

  constructor(
    table: Pick<ConnectionTable, "isLive" | "lastHeard" | "liveMuxes">,
    clock: Clock,
  ) {
    this.#table = table;
    this.#clock = clock;
  }

  get count(): number {
    return this.#since.size;
  }

  list(): Serving[] {
    return Array.from(this.#since, ([mux, since]) => ({ mux, since }));
  }

  /** Another member says that it hears this client. */
  noteRival(mux: number, since: number): void {
    if (!this.#since.has(mux)) return;
    this.#rivals.set(mux, { since, at: this.#clock.steadyNow() });
  }

  /** @returns What has changed */
  look(): Serving[] {
    const changes: Serving[] = [];
    const set = (mux: number, since: number) => {
      if (since === 0) this.#since.delete(mux);
      else this.#since.set(mux, since);
      this.#rivals.delete(mux);
      changes.push({ mux, since });
    };
    const steady = this.#clock.steadyNow();
    const now = Math.max(1, Math.floor(this.#clock.now() / 1000));
    for (const mux of this.#since.keys()) {
      if (!this.#table.isLive(mux)) set(mux, 0);
    }
    for (const mux of this.#table.liveMuxes()) {
      const heard = this.#table.lastHeard(mux) ?? -Infinity;
      const isHeard = steady - heard <= SILENT_MS;
      const since = this.#since.get(mux);
      if (since === undefined) {
        if (isHeard) set(mux, now);
      } else if (!isHeard) set(mux, 0);
      else if (this.#isBack(mux, since, heard, now)) set(mux, now);
    }
    return changes;
  }

  #isBack(mux: number, since: number, heard: number, now: number): boolean {
    const rival = this.#rivals.get(mux);
    return rival !== undefined && rival.since >= since &&
      heard > rival.at + NEWS_MS && (now - since) * 1000 >= BACK_MS;
  }
}
