// Listener for clients that have to show a certificate.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { formatPlace } from "../net/place.ts";
import {
  HandshakeLimiter,
  type HandshakeLimiterOptions,
} from "./handshake_limiter.ts";
import type { SyncListener, SyncStream } from "./streams.ts";
import { PendingClient } from "./pending_client.ts";

interface TlsListenerOptions extends HandshakeLimiterOptions {
  /** Limited, since anybody may connect as often as they like. */
  readonly log: RateLimitedLog;
}

export type Surroundings = Omit<TlsListenerOptions, "handshake" | "limits">;

/** Only verified clients come out; the others cost little. */
export class TlsListener implements SyncListener<Endpoint> {
  readonly isProtected = true;
  readonly #plain: SyncListener<Endpoint>;
  readonly #options: TlsListenerOptions;
  readonly #limiter: HandshakeLimiter;
  /** In order of arrival. */
  readonly #ready: (SyncStream | Error)[] = [];
  #isListening = false;
  #isOpen = true;
  #news = Promise.withResolvers<void>();

  constructor(plain: SyncListener<Endpoint>, options: TlsListenerOptions) {
    this.#plain = plain;
    this.#options = options;
    this.#limiter = new HandshakeLimiter(options);
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
    this.#limiter.close();
    for (const client of this.#ready.splice(0)) {
      if (!(client instanceof Error)) client.close();
    }
  }

  async #listen(): Promise<void> {
    this.#isListening = true;
    try {
      void this.#receive(await this.#plain.accept());
    } catch (error) {
      this.#ready.push(errorFrom(error));
    }
    this.#isListening = false;
    this.#news.resolve();
  }

  async #receive(plain: SyncStream): Promise<void> {
    const pending = new PendingClient(plain, this.#options.now());
    try {
      const client = await this.#limiter.verify(pending);
      if (this.#isOpen) this.#ready.push(client);
      else client.close();
    } catch (error) {
      const reason = pending.rejection ?? errorFrom(error).message;
      if (this.#isOpen) this.#refuse(pending, reason);
    }
    this.#news.resolve();
  }

  #refuse({ remote }: SyncStream, reason: string): void {
    this.#options.log.write(
      "warning",
      "refused handshake of a sync client",
      () => `sync client ${formatPlace(remote)} refused: ${reason}`,
    );
  }
}

function errorFrom(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
