/**
 * One client of the sync server: what is still to be sent to it, and how much
 * of that may pile up.
 *
 * @module
 */
import type { Place } from "../net/place.ts";
import type { SyncStream } from "./seams.ts";

/** Characters, which are bytes, that one write takes. */
const CHUNK_BYTES = 1 << 16;

/** Sends records to one client for as long as it keeps up. */
export class Subscriber {
  readonly #stream: SyncStream;
  readonly #maxWaiting: number;
  /** What goes out now; at first everything, later a row of changes. */
  #sending: readonly string[];
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isOpen = true;
  #isListening = true;
  #news = Promise.withResolvers<void>();

  /**
   * @param snapshot Records that it gets first
   * @param maxWaiting Bytes of further records that may wait
   */
  constructor(
    stream: SyncStream,
    snapshot: readonly string[],
    maxWaiting: number,
  ) {
    this.#stream = stream;
    this.#sending = snapshot;
    this.#maxWaiting = maxWaiting;
  }

  get remote(): Place {
    return this.#stream.remote;
  }

  /** Whether it is still to get what changes. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Queues a record.
   *
   * @returns false if too much waits already
   */
  push(record: string): boolean {
    if (this.#waitingBytes + record.length > this.#maxWaiting) return false;
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    this.#news.resolve();
    return true;
  }

  /** Ends the connection. */
  close(): void {
    this.#isOpen = false;
    this.#stream.close();
    this.#news.resolve();
  }

  /**
   * Sends until the client is gone; never throws, since a connection that
   * breaks is nothing but that.
   *
   * It may end some time after {@linkcode close}: Deno before 2.9 keeps the
   * socket while a write waits for a client that does not read.
   */
  async run(): Promise<void> {
    await Promise.allSettled([
      this.#send().finally(() => this.close()),
      this.#ignoreInput().catch(() => this.close()),
    ]);
  }

  // A client that ends its side, as `nc` does where its input ends, gets what
  // is there. Nobody could tell it from one that is gone, so it gets no more.
  async #send(): Promise<void> {
    while (this.#isOpen) {
      const text = this.#take();
      if (text !== "") await writeAll(this.#stream, text);
      else if (!this.#isListening) return;
      else {
        await this.#news.promise;
        this.#news = Promise.withResolvers();
      }
    }
  }

  /** Clients have nothing to say (sync section 1). */
  async #ignoreInput(): Promise<void> {
    const ignored = new Uint8Array(1024);
    while (await this.#stream.read(ignored) !== null);
    this.#isListening = false;
    this.#news.resolve();
  }

  #take(): string {
    if (this.#sending.length === 0) {
      this.#sending = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    let count = 0;
    for (let bytes = 0; bytes < CHUNK_BYTES;) {
      const record = this.#sending[count];
      if (record === undefined) break;
      bytes += record.length;
      count++;
    }
    const text = this.#sending.slice(0, count).join("");
    this.#sending = this.#sending.slice(count);
    return text;
  }
}

async function writeAll(stream: SyncStream, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}
