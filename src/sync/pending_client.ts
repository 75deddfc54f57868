// A client that has connected and not yet been verified.
import { originOf } from "../net/origin.ts";
import type { SyncStream } from "./streams.ts";

/** Type, version and length of a record (RFC 8446 section 5.1). */
const HEADER_BYTES = 5;
const HANDSHAKE = 22;
/** The first byte of any version. */
const VERSION = 3;

export const SILENT = "it sent nothing; perhaps it does not use TLS";

/**
 * The stream of such a client. Its ClientHello can be awaited before anything
 * is allocated for it: all but the first header stays in the kernel.
 */
export class PendingClient implements SyncStream {
  readonly source: string;
  readonly network: string;
  readonly since: number;
  readonly #plain: SyncStream;
  readonly #turn = Promise.withResolvers<void>();
  readonly #header = new Uint8Array(HEADER_BYTES);
  #size = 0;
  /** How much of the header has been handed on by read(). */
  #passedOn = 0;
  #rejection: string | undefined;

  constructor(plain: SyncStream, since: number) {
    this.#plain = plain;
    this.since = since;
    const { source, network } = originOf(plain);
    this.source = source;
    this.network = network;
    // It may be rejected before anything waits for its turn.
    this.#turn.promise.catch(() => {});
  }

  get remote(): SyncStream["remote"] {
    return this.#plain.remote;
  }

  get uid(): number | undefined {
    return this.#plain.uid;
  }

  get rejection(): string | undefined {
    return this.#rejection;
  }

  /** @throws if the client does not speak TLS, or is gone */
  async helloBegun(): Promise<void> {
    const header = this.#header;
    while (this.#size < HEADER_BYTES) {
      const size = await this.#plain.read(header.subarray(this.#size));
      if (size === null && this.#size === 0) throw new Error(SILENT);
      this.#size += size ?? 0;
      const [type, version] = header.subarray(0, this.#size);
      const isTls = type === HANDSHAKE && (version ?? VERSION) === VERSION;
      if (size === null || !isTls) throw new Error("it does not use TLS");
    }
  }

  /**
   * Waits for {@linkcode start}.
   *
   * @throws if it is rejected before
   */
  turn(): Promise<void> {
    return this.#turn.promise;
  }

  start(): void {
    this.#turn.resolve();
  }

  /** Closes the connection, for a reason that goes into the log. */
  reject(reason: string): void {
    this.#rejection ??= reason;
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
