/** Clients of a status listener, by hand. */
import type {
  PeerStream,
  StreamListener,
} from "../../src/net/duplex_stream.ts";
import type { Endpoint } from "../../src/net/endpoint.ts";
import { ipAddress } from "../samples/routes.ts";

/** One end of a connection: it says what it is told, and keeps what it hears. */
export class FakeClient implements PeerStream {
  readonly remote: Endpoint;
  readonly uid: number | undefined;
  heard = "";
  isClosed = false;
  /** Whether it takes what is written to it. */
  readonly #takes: boolean;
  #said: Uint8Array[] = [];
  #isOver = false;
  #news = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();

  constructor(
    { takes = true, address = "127.0.0.1", uid }: {
      readonly takes?: boolean;
      readonly address?: string;
      readonly uid?: number;
    } = {},
  ) {
    this.#takes = takes;
    this.remote = { address: ipAddress(address), port: 9 };
    this.uid = uid;
  }

  say(text: string): void {
    this.#said.push(new TextEncoder().encode(text));
    this.#news.resolve();
  }

  /** Sends no more. */
  end(): void {
    this.#isOver = true;
    this.#news.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.isClosed) throw new Error("closed");
      const [next, ...rest] = this.#said;
      if (next !== undefined) {
        const part = next.subarray(0, into.length);
        into.set(part);
        const left = next.subarray(part.length);
        this.#said = left.length > 0 ? [left, ...rest] : rest;
        return part.length;
      }
      if (this.#isOver) return null;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.#takes) await this.#gone.promise;
    if (this.isClosed) throw new Error("closed");
    // Never all at once.
    const part = bytes.subarray(0, Math.ceil(bytes.length / 2));
    this.heard += new TextDecoder().decode(part);
    return part.length;
  }

  close(): void {
    this.isClosed = true;
    this.#news.resolve();
    this.#gone.resolve();
  }
}

export class FakeListener implements StreamListener {
  #waiting: (PeerStream | Error)[] = [];
  #isClosed = false;
  #news = Promise.withResolvers<void>();

  offer(client: PeerStream | Error): void {
    this.#waiting.push(client);
    this.#news.resolve();
  }

  async accept(): Promise<PeerStream> {
    for (;;) {
      if (this.#isClosed) throw new Error("closed");
      const next = this.#waiting.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) return next;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#news.resolve();
  }
}
