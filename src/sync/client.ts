// Sync client: follows one server (sync section 1).
import type { Logger } from "../log/logger.ts";
import { codeOf, reasonOf } from "../log/reason.ts";
import { parseAddress } from "../net/address.ts";
import { EitherSignal } from "../net/either.ts";
import {
  formatPlaceName,
  isUnixSocket,
  type Place,
  type PlaceName,
} from "../net/place.ts";
import type { Delay } from "../net/delay.ts";
import type { Lookup } from "../net/resolver.ts";
import { decodeRecord } from "./decode.ts";
import { writeAll } from "../net/duplex_stream.ts";
import { isWelcome } from "./extension.ts";
import type { Following } from "./following.ts";
import { SyncError } from "./error.ts";
import { RecordReader } from "./framing.ts";
import { LinkHistory, type LinkView } from "./link_history.ts";
import type { SyncRecord } from "./record.ts";
import { Slices } from "./slices.ts";
import type { Connect, SyncStream } from "./streams.ts";

const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 10_000;
/** For a name server, and for each address. */
const ANSWER_MS = 10_000;
/** That are told of one outage. */
const MOST_REASONS = 8;
const READ_BYTES = 1 << 16;

/** What a client needs. */
interface SyncClientOptions {
  readonly server: PlaceName;
  /** Takes each record, checked. */
  readonly apply: (record: SyncRecord) => void;
  /** What becomes of a server of ours; without it none is asked for more. */
  readonly following?: Following;
  readonly connect: Connect;
  readonly lookup: Lookup;
  readonly delay: Delay;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: Logger;
  /** Shared by all clients of a process; its own if left out. */
  readonly slices?: Slices;
}

export class SyncClient {
  readonly #options: SyncClientOptions;
  readonly #name: string;
  readonly #history: LinkHistory;
  readonly #slices: Slices;
  /** Whether the last stream has ended for want of answers. */
  #isCut = false;
  /** Of the connection that there is now. */
  #stream: SyncStream | undefined;
  /** Why it could not connect, since it was last connected. */
  readonly #told = new Set<string>();
  /** Whether the next one is to begin with a whole table. */
  #isAsking = false;

  constructor(options: SyncClientOptions) {
    this.#options = options;
    this.#history = new LinkHistory(options.now);
    this.#slices = options.slices ?? new Slices(options);
    const { server } = options;
    this.#name = formatPlaceName(server);
  }

  /** Such as `192.0.2.1:2323`. */
  get name(): string {
    return this.#name;
  }

  /** As configured. */
  get place(): PlaceName {
    return this.#options.server;
  }

  /** Whether the server is of this program, and has said so. */
  get isExtended(): boolean {
    return this.#options.following?.isWelcome ?? false;
  }

  /** Whether it leads to this very process now, which is none of the others. */
  get isItself(): boolean {
    return this.#options.following?.isItself ?? false;
  }

  get isConnected(): boolean {
    return this.#history.isConnected;
  }

  /** What is known of the link to the server now. */
  get link(): LinkView {
    return this.#history.view();
  }

  /** Connects anew to a server of ours, to be told all that it knows. */
  askForAll(): void {
    if (!this.isExtended) return;
    this.#isAsking = true;
    this.#stream?.close();
  }

  /**
   * @returns once the signal is aborted
   * @throws what `apply` throws
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log, delay, now } = this.#options;
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const stream = await this.#connect(signal);
      if (stream !== undefined) {
        this.#told.clear();
        log[this.#level](`sync: connected to ${this.#name}`);
        const began = now();
        this.#history.connected();
        const reason = await this.#follow(stream, signal);
        if (signal.aborted) return;
        log[this.#level](
          `sync: connection to ${this.#name} lost (${reason}) retrying every 10sec`,
        );
        // A server that sends everything and closes must not be asked in a
        // tight loop: only a connection that lasted resets the pause.
        if (now() - began >= LAST_PAUSE_MS) pause = FIRST_PAUSE_MS;
      }
      await delay(pause, signal).catch(() => {});
      pause = Math.min(2 * pause, LAST_PAUSE_MS);
    }
  }

  /** What it does by itself is no news. */
  get #level(): "info" | "notice" {
    return this.#isAsking ? "info" : "notice";
  }

  async #connect(signal: AbortSignal): Promise<SyncStream | undefined> {
    const { log } = this.#options;
    let reason = "the name has no address";
    try {
      for (const place of await this.#places(signal)) {
        if (signal.aborted) return undefined;
        try {
          return await this.#connectTo(place, signal);
        } catch (error) {
          reason = reasonOf(error);
          this.#history.failed(isRefusal(error));
        }
      }
    } catch (error) {
      reason = reasonOf(error);
    }
    // Each reason once, or they would fill the log.
    if (!signal.aborted) {
      const isNews = !this.#told.has(reason) && this.#told.size < MOST_REASONS;
      if (isNews) this.#told.add(reason);
      log[isNews ? "notice" : "debug"](
        `sync: cannot connect to ${this.#name} (${reason}) retrying every 10sec`,
      );
    }
    return undefined;
  }

  async #places(signal: AbortSignal): Promise<readonly Place[]> {
    const { lookup, server } = this.#options;
    if (isUnixSocket(server)) return [server];
    const { host, port } = server;
    const address = parseAddress(host);
    if (address !== undefined) return [{ address, port }];
    const addresses = await this.#inTime(signal, () => lookup(host, "any"));
    return addresses.map((address) => ({ address, port }));
  }

  #connectTo(place: Place, signal: AbortSignal): Promise<SyncStream> {
    const { connect } = this.#options;
    return this.#inTime(signal, (tooLate) => connect(place, tooLate));
  }

  async #inTime<T>(
    signal: AbortSignal,
    work: (tooLate: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const tooLate = new AbortController();
    const done = new AbortController();
    using either = new EitherSignal(signal, done.signal);
    const timeout = this.#options.delay(ANSWER_MS, either.signal).then(() => {
      throw new Error("no answer");
    });
    try {
      return await Promise.race([work(tooLate.signal), timeout]);
    } catch (error) {
      tooLate.abort();
      throw error;
    } finally {
      done.abort();
    }
  }

  /** @returns Why the connection ended, in the words of the original */
  async #follow(stream: SyncStream, signal: AbortSignal): Promise<string> {
    const close = () => stream.close();
    signal.addEventListener("abort", close);
    this.#stream = stream;
    try {
      if (signal.aborted) close();
      this.#sayHello(stream);
      for await (const text of this.#textsOf(stream)) this.#take(text);
      return "input stream error";
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.#options.log.info(`sync: from ${this.#name}: ${error.message}`);
      return error.fault;
    } finally {
      signal.removeEventListener("abort", close);
      this.#stream = undefined;
      close();
      this.#options.following?.lost();
      this.#history.lost(!this.#isCut);
    }
  }

  /** An original does not read it, and a server that is gone need not. */
  #sayHello(stream: SyncStream): void {
    const { following } = this.#options;
    if (following === undefined) return;
    if (this.#isAsking) following.forget();
    this.#isAsking = false;
    const hello = new TextEncoder().encode(following.hello());
    writeAll(stream, hello).catch(() => {});
  }

  async *#textsOf(stream: SyncStream): AsyncGenerator<Uint8Array> {
    const reader = new RecordReader();
    const chunk = new Uint8Array(READ_BYTES);
    this.#isCut = false;
    for (;;) {
      await this.#slices.turn();
      const size = await stream.read(chunk).catch((error) => {
        this.#isCut = isOutOfReach(error);
        return null;
      });
      if (size === null) return;
      this.#history.heard();
      yield* this.#slices.run(reader.push(chunk.subarray(0, size)));
    }
  }

  #take(text: Uint8Array): void {
    const { apply, following } = this.#options;
    if (following?.isWelcome || following && isWelcome(text)) {
      following.take(text);
      return this.#history.progressed(following.hasAll);
    }
    const record = decodeRecord(text);
    if (record !== undefined) apply(record);
  }
}

/** The other host says that nobody serves there. */
function isRefusal(error: unknown): boolean {
  return codeOf(error) === "ECONNREFUSED";
}

/** As the kernel says of a host that does not answer. */
function isOutOfReach(error: unknown): boolean {
  const codes = ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN"];
  return codes.includes(codeOf(error) ?? "");
}
