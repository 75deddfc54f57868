/**
 * The way in for clients that have to show a certificate.
 *
 * @module
 */
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { SyncListener, SyncStream } from "./seams.ts";

/** What a listener needs. */
export interface TlsListenerOptions {
  /** @throws if the client may not come in; the stream is closed then */
  readonly handshake: (plain: SyncStream) => Promise<SyncStream>;
  /** Clients at a time that are not verified. */
  readonly maxHandshakes: number;
  /** Limited, since anybody may try as often as they like. */
  readonly log: RateLimitedLog;
}

/** Hands out streams of verified clients; what others do costs little. */
export class TlsListener implements SyncListener {
  readonly isProtected = true;
  readonly #plain: SyncListener;
  readonly #options: TlsListenerOptions;
  /** Clients that are not verified, the one that came first first. */
  readonly #strangers = new Set<SyncStream>();
  /** Verified clients and errors, as they came. */
  readonly #ready: (SyncStream | Error)[] = [];
  #isListening = false;
  #isOpen = true;
  #news = Promise.withResolvers<void>();

  constructor(plain: SyncListener, options: TlsListenerOptions) {
    this.#plain = plain;
    this.#options = options;
  }

  get local(): Endpoint {
    return this.#plain.local;
  }

  async accept(): Promise<SyncStream> {
    for (;;) {
      const next = this.#ready.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) return next;
      this.#news = Promise.withResolvers();
      if (!this.#isListening) void this.#listen();
      await this.#news.promise;
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#plain.close();
    for (const stranger of this.#strangers) stranger.close();
    for (const client of this.#ready.splice(0)) {
      if (!(client instanceof Error)) client.close();
    }
  }

  /** Waits for one more client, whoever it is. */
  async #listen(): Promise<void> {
    this.#isListening = true;
    try {
      void this.#verify(await this.#plain.accept());
    } catch (error) {
      this.#ready.push(errorFrom(error));
    }
    this.#isListening = false;
    this.#news.resolve();
  }

  async #verify(stranger: SyncStream): Promise<void> {
    this.#makeRoom();
    this.#strangers.add(stranger);
    try {
      const client = await this.#options.handshake(stranger);
      if (this.#isOpen) this.#ready.push(client);
      else client.close();
    } catch (error) {
      if (this.#isOpen) this.#refuse(stranger, errorFrom(error).message);
    }
    this.#strangers.delete(stranger);
    this.#news.resolve();
  }

  /**
   * Gives up the one that has waited longest: a member needs a moment for its
   * handshake, those that come to block the way need all the time there is.
   */
  #makeRoom(): void {
    const [first] = this.#strangers;
    if (this.#strangers.size < this.#options.maxHandshakes || !first) return;
    this.#strangers.delete(first);
    first.close();
  }

  #refuse({ remote }: SyncStream, reason: string): void {
    this.#options.log.write(
      "warning",
      "refused handshake of a sync client",
      () => `sync client ${formatEndpoint(remote)} refused: ${reason}`,
    );
  }
}

function errorFrom(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
