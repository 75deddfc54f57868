// Output queue of one client of the sync server.
import { writeAll } from "../net/duplex_stream.ts";
import type { Place } from "../net/place.ts";
import type { SyncStream } from "./streams.ts";

/** Characters, which are bytes. */
const CHUNK_BYTES = 1 << 16;

export class Subscriber {
  readonly #stream: SyncStream;
  readonly #maxWaiting: number;
  /** First the snapshot, later a run of changes. */
  #sending: readonly string[];
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isOpen = true;
  #isListening = true;
  #news = Promise.withResolvers<void>();

  /** @param maxWaiting Bytes of changes that may be queued */
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

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @returns false if the queue is full */
  push(record: string): boolean {
    if (this.#waitingBytes + record.length > this.#maxWaiting) return false;
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    this.#news.resolve();
    return true;
  }

  close(): void {
    this.#isOpen = false;
    this.#stream.close();
    this.#news.resolve();
  }

  /** Sends until the client is gone; never throws. */
  async run(): Promise<void> {
    await Promise.allSettled([
      this.#send().finally(() => this.close()),
      this.#ignoreInput().catch(() => this.close()),
    ]);
  }

  // A client that half-closes, as `nc` does at the end of its input, gets what
  // is queued. It cannot be told from one that is gone, so it gets no more.
  async #send(): Promise<void> {
    while (this.#isOpen) {
      const text = this.#take();
      if (text !== "") {
        await writeAll(this.#stream, new TextEncoder().encode(text));
      } else if (!this.#isListening) return;
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
