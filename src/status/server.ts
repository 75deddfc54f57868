// Server of the status listeners: few clients at a time, one request each, and
// little time for it. Anybody of the host may be at the other end.
import type { RateLimitedLog } from "../log/rate_limited_log.ts";
import { reasonOf } from "../log/reason.ts";
import { Admission } from "../net/admission.ts";
import type { Delay } from "../net/delay.ts";
import {
  type DuplexStream,
  type PeerStream,
  type StreamListener,
  writeAll,
} from "../net/duplex_stream.ts";
import { originOf } from "../net/origin.ts";
import { ReadingTurns } from "./reading_turns.ts";
import {
  MAX_REQUEST_BYTES,
  parseRequest,
  RequestError,
  type StatusRequest,
} from "./request.ts";
import {
  type Framing,
  isWrittenApart,
  plainText,
  type Response,
  responsePieces,
} from "./response.ts";

/** Pause after a failed accept, such as for want of descriptors. */
const ACCEPT_PAUSE_MS = 1000;

/** For a request, and for the response to be taken. */
const EXCHANGE_MS = 10_000;

/** Of each listener. */
const MAX_CLIENTS = 16;

interface StatusServerOptions {
  readonly listener: StreamListener;
  /** Whether POST is served; GET and HEAD always are. */
  readonly hasChanges: boolean;
  /** For messages, such as `127.0.0.1:9100 (--metrics)`. */
  readonly title: string;
  readonly answer: (
    request: StatusRequest,
    asker: Pick<PeerStream, "uid">,
  ) => Promise<Response>;
  readonly delay: Delay;
  /** Limited, since anybody may connect as often as they like. */
  readonly log: RateLimitedLog;
}

interface Client {
  readonly stream: PeerStream;
  /** Once it is served, or has no place any more. */
  readonly gone: AbortController;
}

/** RFC 9110 section 10.2.3. */
const BUSY: Response = {
  ...plainText(503, "another one from there still reads what takes long"),
  headers: { "Retry-After": "1" },
};

export class StatusServer {
  readonly #options: StatusServerOptions;
  /**
   * Whoever comes gets a place, if need be that of the first one among those of
   * the busiest network, host or user: a crowd takes from itself.
   */
  readonly #clients = new Admission<Client>({
    places: MAX_CLIENTS,
    isMember: () => false,
    evicts: "oldest",
    turn: { ms: 0, now: () => 0 },
  });
  readonly #turns: ReadingTurns;
  #isClosed = false;

  constructor(options: StatusServerOptions) {
    this.#options = options;
    this.#turns = new ReadingTurns(options.delay);
  }

  /** @returns once it is closed */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      const stream = await this.#accept();
      if (stream !== undefined) this.#admit(stream);
    }
  }

  /** May be called again, and without {@linkcode run}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.listener.close();
    for (const client of [...this.#clients]) this.#drop(client);
  }

  async #accept(): Promise<PeerStream | undefined> {
    const { listener, log, delay, title } = this.#options;
    try {
      return await listener.accept();
    } catch (error) {
      if (this.#isClosed) return undefined;
      log.write(
        "error",
        "status accept",
        () => `status at ${title} cannot accept a client: ${reasonOf(error)}`,
      );
      await delay(ACCEPT_PAUSE_MS).catch(() => {});
      return undefined;
    }
  }

  #admit(stream: PeerStream): void {
    if (this.#isClosed) return stream.close();
    const client: Client = { stream, gone: new AbortController() };
    const { evicted } = this.#clients.enter(client, originOf(stream));
    if (evicted !== undefined) this.#drop(evicted);
    void this.#serve(client).finally(() => this.#drop(client));
  }

  #drop(client: Client): void {
    this.#clients.leave(client);
    client.gone.abort();
    client.stream.close();
  }

  async #serve(client: Client): Promise<void> {
    const { delay, log, title } = this.#options;
    void delay(EXCHANGE_MS, client.gone.signal).then(
      () => this.#drop(client),
      () => {},
    );
    try {
      await this.#exchange(client);
    } catch (error) {
      // Clients come and go as they like.
      log.write(
        "debug",
        "status client",
        () => `status at ${title}: a client is gone: ${reasonOf(error)}`,
      );
    }
  }

  async #exchange(client: Client): Promise<void> {
    const { stream } = client;
    let framing: Framing = { method: "GET", takesChunks: false };
    let response: Response;
    try {
      const request = await readRequest(stream);
      if (request === undefined) return;
      framing = request;
      response = await this.#answer(request, stream);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      response = this.#refusal(error);
    }
    if (!isWrittenApart(response, framing)) {
      return await this.#write(stream, response, framing);
    }
    const { source } = originOf(stream);
    using turn = await this.#turns.take(source, client.gone.signal);
    await this.#write(stream, turn === undefined ? BUSY : response, framing);
  }

  async #write(
    stream: DuplexStream,
    response: Response,
    framing: Framing,
  ): Promise<void> {
    const pieces = responsePieces(response, framing);
    for await (const piece of this.#reported(pieces)) {
      await writeAll(stream, piece);
    }
  }

  /** One that breaks off has no last chunk; why, the log says. */
  async *#reported(
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const { log, title } = this.#options;
    try {
      yield* pieces;
    } catch (error) {
      log.write(
        "error",
        "status answer",
        () => `status at ${title} has no whole answer: ${reasonOf(error)}`,
      );
    }
  }

  async #answer(request: StatusRequest, asker: PeerStream): Promise<Response> {
    const { answer, log, title } = this.#options;
    try {
      return await answer(request, asker);
    } catch (error) {
      if (error instanceof RequestError) return this.#refusal(error);
      log.write(
        "error",
        "status answer",
        () => `status at ${title} has no answer: ${reasonOf(error)}`,
      );
      return plainText(500, "there is no answer; the log says why");
    }
  }

  /** RFC 9110 section 15.5.6: with what there is, where a method is not. */
  #refusal({ status, message }: RequestError): Response {
    const response = plainText(status, message);
    const { hasChanges } = this.#options;
    const methods = hasChanges ? "GET, HEAD, POST" : "GET, HEAD";
    return status === 405
      ? { ...response, headers: { Allow: methods } }
      : response;
  }
}

/** @returns undefined if the stream ends before the request does */
async function readRequest(
  stream: DuplexStream,
): Promise<StatusRequest | undefined> {
  const bytes = new Uint8Array(MAX_REQUEST_BYTES);
  for (let size = 0;;) {
    const count = await stream.read(bytes.subarray(size));
    if (count === null) return undefined;
    size += count;
    const request = parseRequest(bytes.subarray(0, size));
    if (request !== undefined) return request;
  }
}
