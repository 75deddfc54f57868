/**
 * Who may show a certificate when, of those who have connected and are known
 * by nothing but their address.
 *
 * @module
 */
import type { Delay } from "../net/resolver.ts";
import { Admission } from "./admission.ts";
import type { KnownMembers } from "./known_members.ts";
import type { SyncStream } from "./seams.ts";
import { SAYS_NOTHING, type Stranger } from "./stranger.ts";

/** How often it is looked who has taken too long, in ms. */
const LOOK_MS = 250;

/** What may be spent on clients that are not verified. */
export interface StrangerLimits {
  /** Clients at a time that have not begun a handshake. */
  readonly maxSilent: number;
  /** Clients at a time that have begun and wait for their turn. */
  readonly maxWaiting: number;
  /** Handshakes at a time. */
  readonly maxHandshakes: number;
  /** How long a client may say nothing, in ms. */
  readonly silentMs: number;
  /** The same while half of the places are taken. */
  readonly crowdedMs: number;
  /**
   * How long a handshake is left in peace by those as busy, and how long the
   * place stays taken of one that has failed, in ms.
   */
  readonly turnMs: number;
  /** How long a client may wait, and its handshake take, in ms. */
  readonly handshakeMs: number;
}

/** What a doorkeeper needs. */
export interface DoorkeeperOptions {
  /** @throws if the client may not come in; the stream is closed then */
  readonly handshake: (plain: SyncStream) => Promise<SyncStream>;
  readonly limits: StrangerLimits;
  readonly members: KnownMembers;
  readonly delay: Delay;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Verifies clients. One has a place among the silent ones, then among those
 * that wait, then one for its handshake: whoever says nothing is in nobody's
 * way, and no flood makes more than a bounded number of handshakes a second.
 */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #silent: Admission<Stranger>;
  readonly #waiting: Admission<Stranger>;
  readonly #handshakes: Admission<Stranger>;
  readonly #closed = new AbortController();
  #isLooking = false;

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    const { limits, members, now } = options;
    const admission = (places: number, ms: number) =>
      new Admission<Stranger>({
        places,
        isMember: (source) => members.has(source),
        gives: "oldest",
        turn: { ms, now },
      });
    this.#silent = admission(limits.maxSilent, 0);
    this.#waiting = admission(limits.maxWaiting, 0);
    this.#handshakes = admission(limits.maxHandshakes, limits.turnMs);
  }

  /**
   * Lets a client show its certificate when it is its turn.
   *
   * @returns The stream inside
   * @throws if it may not come in; the stream is closed then
   */
  async verify(stranger: Stranger): Promise<SyncStream> {
    try {
      this.#enter(this.#silent, stranger);
      void this.#look();
      await stranger.begun();
      this.#silent.leave(stranger);
      this.#enter(this.#waiting, stranger);
      this.#callNext();
      await this.#turnOf(stranger);
      const client = await this.#shakeHands(stranger);
      this.#options.members.verified(stranger.source);
      return client;
    } catch (error) {
      stranger.close();
      throw error;
    } finally {
      this.#silent.leave(stranger);
      this.#waiting.leave(stranger);
      this.#callNext();
    }
  }

  /** Sends everybody away. */
  close(): void {
    this.#closed.abort();
    for (const places of [this.#silent, this.#waiting, this.#handshakes]) {
      for (const stranger of places) stranger.giveUp("the port is closed");
    }
  }

  /** @throws if it is given up, be it in the very moment that it is called */
  async #turnOf(stranger: Stranger): Promise<void> {
    try {
      await stranger.turn();
    } catch (error) {
      this.#handshakes.leave(stranger);
      throw error;
    }
  }

  async #shakeHands(stranger: Stranger): Promise<SyncStream> {
    const { handshake, delay, limits } = this.#options;
    try {
      const client = await handshake(stranger);
      this.#handshakes.leave(stranger);
      return client;
    } catch (error) {
      // Or those that fail at once could have handshakes without end.
      void delay(limits.turnMs, this.#closed.signal).catch(() => {})
        .then(() => this.#handshakes.leave(stranger))
        .then(() => this.#callNext());
      throw error;
    }
  }

  /** @returns Whether there was a place */
  #enter(places: Admission<Stranger>, stranger: Stranger): boolean {
    const { isIn, out } = places.enter(stranger, stranger);
    out?.giveUp("others need its place");
    return isIn;
  }

  /** Lets those begin for whose handshake there is a place. */
  #callNext(): void {
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const stranger of this.#handshakes.first(this.#waiting)) {
        // One that was given up leaves in a moment.
        if (stranger.reason !== undefined) continue;
        if (!this.#enter(this.#handshakes, stranger)) continue;
        this.#waiting.leave(stranger);
        stranger.begin();
        isDone = false;
      }
    }
  }

  /** Looks after those who wait, as long as there are any. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { delay } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted && this.#silent.size + this.#waiting.size > 0) {
      await delay(LOOK_MS, signal).catch(() => {});
      this.#giveUpLate();
      this.#callNext();
    }
    this.#isLooking = false;
  }

  #giveUpLate(): void {
    const { now, limits } = this.#options;
    const { silentMs, crowdedMs, handshakeMs } = limits;
    for (const stranger of this.#silent) {
      const isCrowded = this.#silent.isCrowded(stranger);
      const limit = isCrowded ? Math.min(crowdedMs, silentMs) : silentMs;
      if (now() - stranger.since >= limit) stranger.giveUp(SAYS_NOTHING);
    }
    for (const stranger of this.#waiting) {
      const isLate = now() - stranger.since >= handshakeMs;
      if (isLate) stranger.giveUp("its turn does not come");
    }
  }
}
