// Keep-alive: peers that are due for a datagram without payload, since nothing
// else was sent to them for as long (SATP section 7).
import { type ConnectionTable, endpointWords } from "./connection_table.ts";
import { ConnectionCounter } from "./counters.ts";

interface Sent {
  datagrams: number;
  at: number;
}

export class KeepAlive {
  readonly #table: ConnectionTable;
  readonly #routing: boolean;
  readonly #words = endpointWords();
  #known = new Map<number, Sent>();

  /** @param routing Whether more than the first connection sends anything */
  constructor(table: ConnectionTable, routing: boolean) {
    this.#table = table;
    this.#routing = routing;
  }

  /**
   * To be called about once a second. A peer that becomes known is told of this
   * end at once: it may have been started again, or be elsewhere.
   *
   * @param ms How long nothing may be sent; 0 for ever
   * @returns Those that are due, and have been added to the table's
   */
  look(ms: number, now: number): readonly number[] {
    if (ms === 0) {
      if (this.#known.size > 0) this.#known = new Map();
      return [];
    }
    const muxes = this.#muxes();
    const due = muxes.filter((mux) => this.#isDue(mux, ms, now));
    if (this.#known.size > muxes.length) this.#forget(muxes);
    this.#table.due.add(due);
    return due;
  }

  #muxes(): readonly number[] {
    if (this.#routing) return this.#table.liveMuxes();
    const lowest = this.#table.lowestMux();
    return lowest < 0 ? [] : [lowest];
  }

  #isDue(mux: number, ms: number, now: number): boolean {
    const datagrams =
      this.#table.counters.sumOf(mux, ConnectionCounter.PACKETS_OUT) +
      this.#table.counters.sumOf(mux, ConnectionCounter.KEEPALIVES_OUT);
    const known = this.#known.get(mux);
    if (known === undefined) {
      this.#table.endpoints.copy(mux, this.#words, 0);
      if (this.#words[0] === 0) return false;
      this.#known.set(mux, { datagrams, at: now });
      return true;
    }
    const isQuiet = known.datagrams === datagrams;
    const isDue = isQuiet && now - known.at >= ms;
    // Asked counts as sent: where nothing can be sent it is not asked all day.
    if (isDue || !isQuiet) known.at = now;
    known.datagrams = datagrams;
    return isDue;
  }

  #forget(muxes: readonly number[]): void {
    const live = new Set(muxes);
    for (const mux of this.#known.keys()) {
      if (!live.has(mux)) this.#known.delete(mux);
    }
  }
}
