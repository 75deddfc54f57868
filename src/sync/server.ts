// Sync server: sends each client all that is known, and then what changes
// (sync section 1).
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { formatPlace, type Place } from "../net/place.ts";
import type { Delay } from "../net/delay.ts";
import type { Every } from "../net/every.ts";
import { Admission, type AdmissionResult } from "../net/admission.ts";
import { originOf } from "../net/origin.ts";
import { formatMessage } from "./extension.ts";
import type { Feed } from "./feed.ts";
import type { SyncListener, SyncStream } from "./streams.ts";
import { Subscriber, TURN_MS } from "./subscriber.ts";

/** Pause after a failed accept, such as for want of descriptors. */
const ACCEPT_PAUSE_MS = 1000;

/** How often clients are told how far they have come, at most. */
const PROGRESS_MS = 1000;

/** Sockets per place: one that is closed may be there for a moment longer. */
const MAX_SOCKETS = 4;

interface SyncServerOptions {
  readonly listeners: readonly SyncListener[];
  /** Everything known now, as records for the stream. */
  readonly snapshot: () => readonly string[];
  /** For members of ours; without it they get what originals get. */
  readonly feed?: Feed;
  readonly delay: Delay;
  readonly every: Every;
  /** Limited, since anybody may connect as often as they like. */
  readonly log: RateLimitedLog;
  /** Clients at a time, and as many members again. */
  readonly maxClients?: number;
  /** A member of ours has come, and gets what is said from now on. */
  readonly joined?: (() => void) | undefined;
  readonly isMember?: (source: string) => boolean;
  /** Bytes of changes queued for a slow client. */
  readonly maxWaiting?: number;
}

export class SyncServer {
  readonly #options: SyncServerOptions;
  readonly #maxClients: number;
  readonly #isMember: (source: string) => boolean;
  readonly #places: Admission<SyncStream>;
  readonly #maxWaiting: number;
  readonly #clients = new Map<SyncStream, Subscriber>();
  readonly #closing = new AbortController();
  /** All clients that may say hello wait for the same. */
  #turn: Promise<void> | undefined;

  constructor(options: SyncServerOptions) {
    this.#options = options;
    this.#maxClients = options.maxClients ?? 64;
    this.#isMember = options.isMember ?? (() => false);
    this.#places = new Admission({
      places: this.#maxClients,
      isMember: this.#isMember,
      // The others of its source may be those who were here before a flood.
      evicts: "newest",
    });
    this.#maxWaiting = options.maxWaiting ?? 1 << 20;
  }

  /** @returns once the signal is aborted and all is closed */
  async run(signal: AbortSignal): Promise<void> {
    const { listeners } = this.#options;
    if (signal.aborted) return this.close();
    signal.addEventListener("abort", () => this.close());
    await Promise.all([
      ...listeners.map((one) => this.#serve(one, signal)),
      ...(this.#options.feed === undefined ? [] : [this.#tellProgress(signal)]),
    ]);
  }

  /** May be called again, and without {@linkcode run}. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const listener of this.#options.listeners) listener.close();
    for (const client of this.#clients.values()) client.close();
  }

  /** Where they come from. */
  clients(): readonly Place[] {
    return Array.from(this.#clients.keys(), ({ remote }) => remote);
  }

  /** Clients that have said hello: members of ours. */
  get members(): number {
    return this.#clients.values()
      .reduce((count, { isExtended }) => count + Number(isExtended), 0);
  }

  /**
   * Sends a message to all members of ours that listen now. It is not repeated,
   * and one that reads too slowly does not get it.
   */
  say(kind: string, body: string): void {
    const frame = formatMessage({ word: "say", kind, body });
    for (const client of this.#clients.values()) client.say(frame);
  }

  /** There is something new in the feed, and nothing for originals. */
  wake(): void {
    for (const client of this.#clients.values()) client.wake();
  }

  /** Sends a record to originals, and what is new in the feed to the others. */
  push(record: string): void {
    for (const client of this.#clients.values()) {
      if (!client.isOpen || client.push(record)) continue;
      this.#options.log.write("warning", "slow sync client", () => {
        const to = formatPlace(client.remote);
        return `sync client ${to} reads too slowly: closing its connection`;
      });
      client.close();
    }
  }

  #tellProgress(signal: AbortSignal): Promise<void> {
    return this.#options.every(PROGRESS_MS, () => {
      for (const client of this.#clients.values()) client.tellProgress();
    }, signal);
  }

  async #serve(listener: SyncListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const stream = await this.#accept(listener, signal);
      if (stream === undefined) continue;
      if (signal.aborted) stream.close();
      else this.#addClient(stream);
    }
  }

  async #accept(
    listener: SyncListener,
    signal: AbortSignal,
  ): Promise<SyncStream | undefined> {
    const { log, delay } = this.#options;
    try {
      return await listener.accept();
    } catch (error) {
      if (signal.aborted) return undefined;
      log.write(
        "error",
        "sync accept",
        () => `sync server cannot accept a client: ${reasonOf(error)}`,
      );
      await delay(ACCEPT_PAUSE_MS, signal).catch(() => {});
      return undefined;
    }
  }

  #nextTurn(): Promise<void> {
    const { delay } = this.#options;
    return this.#turn ??= delay(TURN_MS, this.#closing.signal)
      .catch(() => {})
      .then(() => {
        this.#turn = undefined;
      });
  }

  #addClient(stream: SyncStream): void {
    const { log, snapshot, feed, joined } = this.#options;
    const turn = () => this.#nextTurn();
    const maxWaiting = this.#maxWaiting;
    const from = formatPlace(stream.remote);
    const { isAdmitted, evicted } = this.#enter(stream);
    if (!isAdmitted) {
      const limit = this.#maxClients;
      log.write(
        "warning",
        "refused sync client",
        () => `sync client ${from} refused: ${limit} are connected`,
      );
      return stream.close();
    }
    if (evicted !== undefined) this.#evict(evicted);
    log.write(
      "info",
      "new sync client",
      () => `new sync client connected from ${from}`,
    );
    const client = new Subscriber(stream, {
      ...{ snapshot, feed, turn, maxWaiting, joined },
    });
    this.#clients.set(stream, client);
    client.run().then(() => {
      this.#clients.delete(stream);
      this.#places.leave(stream);
      log.write(
        "debug",
        "lost sync client",
        () => `sync client ${from} is gone`,
      );
    });
  }

  #enter(stream: SyncStream): AdmissionResult<SyncStream> {
    const origin = originOf(stream);
    const isFull = this.#clients.size >= MAX_SOCKETS * this.#maxClients;
    if (isFull && !this.#isMember(origin.source)) return { isAdmitted: false };
    return this.#places.enter(stream, origin);
  }

  #evict(stream: SyncStream): void {
    this.#options.log.write("warning", "evicted sync client", () => {
      const from = formatPlace(stream.remote);
      return `sync client ${from} closed: its network or user has the most ` +
        `of ${this.#maxClients} places, and another client needs one`;
    });
    this.#clients.get(stream)?.close();
  }
}
