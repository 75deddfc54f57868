/**
 * A client that has connected and shown nothing yet.
 *
 * @module
 */
import { originOf } from "./origin.ts";
import type { SyncStream } from "./seams.ts";

/** Type, version and length of a record (RFC 8446 section 5.1). */
const HEADER_BYTES = 5;
const HANDSHAKE = 22;
/** The first byte of any version. */
const VERSION = 3;

/** What the log says of one that does not begin. */
export const SAYS_NOTHING = "it says nothing, as one that does not use TLS";

/**
 * The stream of a client, whose beginning can be waited for before anything is
 * made for it: the rest waits in the system.
 */
export class Stranger implements SyncStream {
  readonly source: string;
  readonly network: string;
  /** When it came, in ms. */
  readonly since: number;
  readonly #plain: SyncStream;
  readonly #turn = Promise.withResolvers<void>();
  readonly #header = new Uint8Array(HEADER_BYTES);
  #size = 0;
  /** How much of the header was read once more. */
  #passedOn = 0;
  #reason: string | undefined;

  /** @param since The time, in ms */
  constructor(plain: SyncStream, since: number) {
    this.#plain = plain;
    this.since = since;
    const { source, network } = originOf(plain);
    this.source = source;
    this.network = network;
    // It may be given up before it waits.
    this.#turn.promise.catch(() => {});
  }

  get remote(): SyncStream["remote"] {
    return this.#plain.remote;
  }

  get uid(): number | undefined {
    return this.#plain.uid;
  }

  /** Why it was given up, if it was. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * Waits until the client has begun to speak TLS.
   *
   * @throws if it does not, or is gone
   */
  async begun(): Promise<void> {
    const header = this.#header;
    while (this.#size < HEADER_BYTES) {
      const size = await this.#plain.read(header.subarray(this.#size));
      if (size === null && this.#size === 0) throw new Error(SAYS_NOTHING);
      this.#size += size ?? 0;
      const [type, version] = header.subarray(0, this.#size);
      const isTls = type === HANDSHAKE && (version ?? VERSION) === VERSION;
      if (size === null || !isTls) throw new Error("it does not use TLS");
    }
  }

  /**
   * Waits until {@linkcode begin} is called.
   *
   * @throws if it is given up before
   */
  turn(): Promise<void> {
    return this.#turn.promise;
  }

  /** It may show what it has. */
  begin(): void {
    this.#turn.resolve();
  }

  /** Closes the connection for a reason that the log is to have. */
  giveUp(reason: string): void {
    this.#reason ??= reason;
    this.#turn.reject(new Error(reason));
    this.close();
  }

  read(into: Uint8Array): Promise<number | null> {
    const rest = this.#header.subarray(this.#passedOn, this.#size);
    if (rest.length === 0) return this.#plain.read(into);
    const taken = rest.subarray(0, into.length);
    into.set(taken);
    this.#passedOn += taken.length;
    return Promise.resolve(taken.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#plain.write(bytes);
  }

  close(): void {
    this.#plain.close();
  }
}
