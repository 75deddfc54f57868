/**
 * Sync over TCP in tests: a server on a port of loopback, and clients by hand.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../src/log/logger.ts";
import { RateLimitedLog } from "../../src/log/rate_limited_log.ts";
import type { Endpoint } from "../../src/net/endpoint.ts";
import type {
  SyncListener,
  SyncStream,
  TcpStream,
} from "../../src/sync/streams.ts";
import { ipAddress } from "../samples/routes.ts";

export { connectPlain, endpointOf, listenPlain } from "../../lab/plain_sync.ts";

/** A real pause, for what is not under test. */
export function pause(ms: number, signal?: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, signal ? { signal } : {});
}

/** A log whose every line passes. */
export function unlimited(log: Logger): RateLimitedLog {
  return new RateLimitedLog(log, { burst: 1000, perSecond: 1 }, () => 0);
}

/** Reads until the text has this size, or the stream ends. */
export async function readText(
  stream: SyncStream,
  size: number,
): Promise<string> {
  let text = "";
  const chunk = new Uint8Array(1 << 16);
  while (text.length < size) {
    const count = await stream.read(chunk);
    if (count === null) break;
    text += new TextDecoder().decode(chunk.subarray(0, count));
  }
  return text;
}

/** One end of a connection that takes bytes only when the test says so. */
export class ManualStream implements TcpStream {
  readonly local: Endpoint = { address: ipAddress("127.0.0.1"), port: 2323 };
  readonly remote: Endpoint;
  written = "";
  isClosed = false;
  readonly #ended = Promise.withResolvers<number | null>();
  readonly #taking = Promise.withResolvers<void>();

  constructor(address = "192.0.2.9") {
    this.remote = { address: ipAddress(address), port: 9 };
    // Nobody may be waiting when the connection breaks.
    this.#ended.promise.catch(() => {});
    this.#taking.promise.catch(() => {});
  }

  read(): Promise<number | null> {
    return this.#ended.promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#taking.promise;
    this.written += new TextDecoder().decode(bytes);
    return bytes.length;
  }

  /** Takes all that was written and will be. */
  take(): void {
    this.#taking.resolve();
  }

  /** The peer ends its side. */
  end(): void {
    this.#ended.resolve(null);
  }

  /** The connection breaks. */
  break(): void {
    this.#ended.reject(new Error("Connection reset by peer"));
    this.#taking.reject(new Error("Broken pipe"));
  }

  close(): void {
    this.isClosed = true;
    this.break();
  }
}

/** One end of a connection that says what the test says. */
export class SpeakingStream implements SyncStream {
  readonly remote: Endpoint;
  isClosed = false;
  #text = "";
  #end: Error | "end" | undefined;
  #news = Promise.withResolvers<void>();

  constructor(address = "192.0.2.9") {
    this.remote = { address: ipAddress(address), port: 9 };
  }

  /** The peer sends a text. */
  say(text: string): void {
    this.#text += text;
    this.#news.resolve();
  }

  /** The peer ends the stream, or it breaks. */
  end(how: Error | "end" = "end"): void {
    this.#end = how;
    this.#news.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#text === "") {
      if (this.#end === "end") return null;
      if (this.#end !== undefined) throw this.#end;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
    const { written } = new TextEncoder().encodeInto(this.#text, into);
    this.#text = this.#text.slice(written);
    return written;
  }

  write(): Promise<number> {
    return Promise.reject(new Error("a client says nothing"));
  }

  close(): void {
    this.isClosed = true;
    this.end(new Error("closed"));
  }
}

/** Hands out streams as if they had connected. */
export class ManualListener<S extends SyncStream = SyncStream>
  implements SyncListener<Endpoint, S> {
  readonly local: Endpoint = { address: ipAddress("127.0.0.1"), port: 2323 };
  readonly isProtected = false;
  isClosed = false;
  readonly #ready: (S | Error)[] = [];
  #waiting = Promise.withResolvers<void>();

  /** A client connects, or the system fails. */
  offer(stream: S | Error): void {
    this.#ready.push(stream);
    this.#waiting.resolve();
  }

  async accept(): Promise<S> {
    for (;;) {
      if (this.isClosed) throw new Error("Listener has been closed");
      const next = this.#ready.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) return next;
      await this.#waiting.promise;
      this.#waiting = Promise.withResolvers();
    }
  }

  /** It does from the first. */
  listen(): void {}

  close(): void {
    this.isClosed = true;
    this.#waiting.resolve();
  }
}
