// Output of the sync server to one client.
//
// Who says hello is a member of ours, and follows a feed. Everybody else gets
// what the originals do: first all that is known, then what changes.
import { writeAll } from "../net/duplex_stream.ts";
import type { Place } from "../net/place.ts";
import { MAX_HELLO_BYTES, parseHello } from "./extension.ts";
import type { Feed, FeedCursor } from "./feed.ts";
import { RecordReader } from "./framing.ts";
import { latin1 } from "./latin1.ts";
import type { SyncStream } from "./streams.ts";

/** Characters, which are bytes. */
const CHUNK_BYTES = 1 << 16;

/**
 * So many turns a client may take to say hello before it gets the stream of the
 * originals: 200 ms, and longer in a process that is busy. There hellos have
 * come before they are read, and whole tables for nothing would keep it busy
 * longer still. A later hello changes over at the next record.
 */
const TURNS = 40;
export const TURN_MS = 5;

interface SubscriberOptions {
  /** Everything known now, as records for the stream. */
  readonly snapshot: () => readonly string[];
  /** For clients that say hello. */
  readonly feed?: Feed | undefined;
  /** Bytes of changes that may be queued */
  readonly maxWaiting: number;
  /** Passes a turn of {@linkcode TURN_MS}, or the rest of one. */
  readonly turn: () => Promise<void>;
  /** It has said hello, and gets what is said from now on. */
  readonly joined?: (() => void) | undefined;
}

export class Subscriber {
  readonly #stream: SyncStream;
  readonly #options: SubscriberOptions;
  /** First the snapshot, later a run of changes. */
  #sending: readonly string[] = [];
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isOpen = true;
  #isListening = true;
  /** Of an original: it has been sent what was known. */
  #isPlain = false;
  #saysHello = false;
  #isExtended = false;
  /** Its place in the feed, as long as it may say hello in time. */
  #cursor: FeedCursor | undefined;
  /** Whether it has said hello, or something else. */
  #hasSpoken = false;
  #heard = Promise.withResolvers<void>();
  #news = Promise.withResolvers<void>();

  constructor(stream: SyncStream, options: SubscriberOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#cursor = options.feed?.enter();
    if (options.feed === undefined) this.#beginPlain();
  }

  get remote(): Place {
    return this.#stream.remote;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether it has said hello. */
  get isExtended(): boolean {
    return this.#isExtended;
  }

  /** @returns false if the queue is full */
  push(record: string): boolean {
    if (!this.#isPlain || this.isExtended) {
      // The feed has it, or the snapshot will.
      this.#news.resolve();
      return true;
    }
    return this.#queue(record);
  }

  /**
   * Sends a frame that is not repeated to a client that has said hello; one
   * that reads too slowly does not get it.
   */
  say(frame: string): void {
    if (this.isExtended) this.#queue(frame);
  }

  wake(): void {
    this.#news.resolve();
  }

  /** Tells a client that has said hello how far it has come. */
  tellProgress(): void {
    if (!this.isExtended) return;
    const progress = this.#cursor?.progress() ?? "";
    if (progress !== "") this.#queue(progress);
  }

  close(): void {
    this.#isOpen = false;
    this.#cursor?.close();
    this.#stream.close();
    this.#news.resolve();
    this.#endWait();
  }

  /** Sends until the client is gone; never throws. */
  async run(): Promise<void> {
    await Promise.allSettled([
      this.#send().finally(() => this.close()),
      this.#listen().catch(() => this.close()),
    ]);
  }

  #queue(text: string): boolean {
    if (this.#waitingBytes + text.length > this.#options.maxWaiting) {
      return false;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#news.resolve();
    return true;
  }

  // A client that half-closes, as `nc` does at the end of its input, gets what
  // is queued. It cannot be told from one that is gone, so it gets no more.
  async #send(): Promise<void> {
    if (!this.#isPlain) await this.#awaitHello();
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

  async #awaitHello(): Promise<void> {
    const heard = this.#heard.promise;
    for (let turn = 0; turn < TURNS && !this.#hasSpoken; turn++) {
      await Promise.race([heard, this.#options.turn()]);
    }
    if (this.#isOpen && !this.#saysHello) this.#beginPlain();
  }

  #endWait(): void {
    this.#hasSpoken = true;
    this.#heard.resolve();
  }

  #beginPlain(): void {
    this.#isPlain = true;
    this.#cursor?.close();
    this.#cursor = undefined;
    this.#sending = this.#options.snapshot();
  }

  /**
   * Of all that clients say only a hello means something, and only before
   * anything else: the others have nothing to say (sync section 1).
   */
  async #listen(): Promise<void> {
    const { feed } = this.#options;
    const hello = feed && await this.#readHello();
    if (feed !== undefined && hello !== undefined) {
      this.#saysHello = true;
      await feed.ready?.();
      if (!this.#isOpen) return;
      this.#cursor ??= feed.enter();
      this.#cursor.begin(hello);
      this.#isExtended = true;
      this.#sending = [];
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#options.joined?.();
    }
    this.#endWait();
    this.#news.resolve();
    const ignored = new Uint8Array(1024);
    while (this.#isListening && await this.#read(ignored) !== null);
  }

  async #readHello(): Promise<ReturnType<typeof parseHello>> {
    const reader = new RecordReader();
    const byte = new Uint8Array(MAX_HELLO_BYTES);
    for (let size = 0; size < MAX_HELLO_BYTES;) {
      const count = await this.#read(byte.subarray(size));
      if (count === null) return undefined;
      try {
        for (const text of reader.push(byte.subarray(size, size + count))) {
          return parseHello(latin1(text));
        }
      } catch {
        return undefined;
      }
      size += count;
    }
    return undefined;
  }

  async #read(into: Uint8Array): Promise<number | null> {
    const count = await this.#stream.read(into);
    if (count === null) {
      this.#isListening = false;
      this.#news.resolve();
    }
    return count;
  }

  #take(): string {
    const told = this.#cursor?.take(CHUNK_BYTES) ?? "";
    return told.length >= CHUNK_BYTES ? told : told + this.#takeQueued();
  }

  #takeQueued(): string {
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
