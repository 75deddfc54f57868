// Limits on TLS handshakes with clients known by nothing but their address.
import type { Delay } from "../net/delay.ts";
import { Admission } from "../net/admission.ts";
import type { KnownMembers } from "./known_members.ts";
import type { SyncStream } from "./streams.ts";
import { type PendingClient, SILENT } from "./pending_client.ts";

/** From one search for clients that took too long to the next, in ms. */
const SWEEP_MS = 250;

/** What may be spent on clients that are not verified. */
export interface HandshakeLimits {
  /** Clients at a time that have not begun a handshake. */
  readonly maxSilent: number;
  /** Clients at a time that have begun and wait for their turn. */
  readonly maxWaiting: number;
  /** Handshakes at a time. */
  readonly maxHandshakes: number;
  /** How long a client may send nothing, in ms. */
  readonly silentMs: number;
  /** The same while half of the places are taken. */
  readonly crowdedMs: number;
  /**
   * How long a handshake is not evicted for a client as busy, and how long one
   * that has failed keeps its place, in ms.
   */
  readonly turnMs: number;
  /** How long a client may wait, and its handshake take, in ms. */
  readonly handshakeMs: number;
}

export interface HandshakeLimiterOptions {
  /** @throws if the client is refused; the stream is closed then */
  readonly handshake: (plain: SyncStream) => Promise<SyncStream>;
  readonly limits: HandshakeLimits;
  readonly members: KnownMembers;
  readonly delay: Delay;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * Verifies clients. One has a place among the silent ones, then among those
 * that wait, then one for its handshake: a silent client is in nobody's way,
 * and no flood makes more than a bounded number of handshakes a second.
 */
export class HandshakeLimiter {
  readonly #options: HandshakeLimiterOptions;
  readonly #silent: Admission<PendingClient>;
  readonly #waiting: Admission<PendingClient>;
  readonly #handshakes: Admission<PendingClient>;
  readonly #closed = new AbortController();
  #isSweeping = false;

  constructor(options: HandshakeLimiterOptions) {
    this.#options = options;
    const { limits, members, now } = options;
    const admission = (places: number, ms: number) =>
      new Admission<PendingClient>({
        places,
        isMember: (source) => members.has(source),
        evicts: "oldest",
        turn: { ms, now },
      });
    this.#silent = admission(limits.maxSilent, 0);
    this.#waiting = admission(limits.maxWaiting, 0);
    this.#handshakes = admission(limits.maxHandshakes, limits.turnMs);
  }

  /**
   * @returns The stream inside TLS
   * @throws if the client is refused; the stream is closed then
   */
  async verify(client: PendingClient): Promise<SyncStream> {
    try {
      this.#enter(this.#silent, client);
      void this.#sweep();
      await client.helloBegun();
      this.#silent.leave(client);
      this.#enter(this.#waiting, client);
      this.#startNext();
      await this.#turnOf(client);
      const verified = await this.#handshake(client);
      this.#options.members.verified(client.source);
      return verified;
    } catch (error) {
      client.close();
      throw error;
    } finally {
      this.#silent.leave(client);
      this.#waiting.leave(client);
      this.#startNext();
    }
  }

  close(): void {
    this.#closed.abort();
    for (const places of [this.#silent, this.#waiting, this.#handshakes]) {
      for (const client of places) client.reject("the port is closed");
    }
  }

  /** @throws if it is rejected, be it in the very moment that it may start */
  async #turnOf(client: PendingClient): Promise<void> {
    try {
      await client.turn();
    } catch (error) {
      this.#handshakes.leave(client);
      throw error;
    }
  }

  async #handshake(client: PendingClient): Promise<SyncStream> {
    const { handshake, delay, limits } = this.#options;
    try {
      const verified = await handshake(client);
      this.#handshakes.leave(client);
      return verified;
    } catch (error) {
      // Or those that fail at once could have handshakes without end.
      void delay(limits.turnMs, this.#closed.signal).catch(() => {})
        .then(() => this.#handshakes.leave(client))
        .then(() => this.#startNext());
      throw error;
    }
  }

  #enter(places: Admission<PendingClient>, client: PendingClient): boolean {
    const { isAdmitted, evicted } = places.enter(client, client);
    evicted?.reject("another client needs its place");
    return isAdmitted;
  }

  #startNext(): void {
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const client of this.#handshakes.first(this.#waiting)) {
        // One that was rejected leaves in a moment.
        if (client.rejection !== undefined) continue;
        if (!this.#enter(this.#handshakes, client)) continue;
        this.#waiting.leave(client);
        client.start();
        isDone = false;
      }
    }
  }

  /** Runs for as long as there are clients without a handshake. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const { delay } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted && this.#silent.size + this.#waiting.size > 0) {
      await delay(SWEEP_MS, signal).catch(() => {});
      this.#rejectLate();
      this.#startNext();
    }
    this.#isSweeping = false;
  }

  #rejectLate(): void {
    const { now, limits } = this.#options;
    const { silentMs, crowdedMs, handshakeMs } = limits;
    for (const client of this.#silent) {
      const isCrowded = this.#silent.isCrowded(client);
      const limit = isCrowded ? Math.min(crowdedMs, silentMs) : silentMs;
      if (now() - client.since >= limit) client.reject(SILENT);
    }
    for (const client of this.#waiting) {
      const isLate = now() - client.since >= handshakeMs;
      if (isLate) client.reject("too many handshakes are waiting");
    }
  }
}
