// Log lines of the data plane, in the words of the original: scripts grep for
// them (CLI section 6). Bad datagrams cost a bounded number of lines.
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { Connection } from "./connection.ts";
import { readEndpoint } from "./endpoint_words.ts";
import type { InboundEvents } from "./inbound.ts";
import type { OutboundEvents } from "./outbound.ts";

/** Lines of one kind: a handful at once, then one every ten seconds. */
const LIMIT = { burst: 5, perSecond: 0.1 };

/** How often it is said how many lines were held back, in ms. */
export const FLUSH_MS = 10_000;

/** What helps a connection that runs out of numbers. */
const REMEDY =
  "give both ends new keys, or start this one again with --sender-id auto";

export class PlaneLog implements InboundEvents, OutboundEvents {
  readonly #log: RateLimitedLog;

  constructor(logger: Logger, now: () => number) {
    this.#log = new RateLimitedLog(logger, LIMIT, now);
  }

  wrongTag(): void {
    this.#log.write(
      "notice",
      "wrong tag",
      () => "wrong Authentication Tag!",
    );
  }

  replay(connection: Connection, seq: number, senderId: number): void {
    this.#log.write(
      "notice",
      "replay",
      () =>
        `Replay attack from ${
          endpointText(connection)
        } seq:${seq} sid: ${senderId}`,
    );
  }

  endpointChanged(connection: Connection, first: boolean): void {
    const endpoint = endpointText(connection);
    const kind = "remote host";
    if (!first) {
      this.#log.write(
        "notice",
        kind,
        () =>
          `connection ${connection.mux} autodetected remote host ip changed ${endpoint}`,
      );
      return;
    }
    this.#log.write(
      "notice",
      kind,
      () => `autodetected remote host ${endpoint}`,
    );
    this.#log.write(
      "notice",
      kind,
      () => `added connection remote host ${endpoint}`,
    );
  }

  noSocket(to: Endpoint): void {
    this.#log.write(
      "warning",
      "no socket",
      () =>
        `no suitable socket found for remote endpoint protocol: ${
          formatEndpoint(to)
        }`,
    );
  }

  batchFailed(error: unknown): void {
    this.#log.write(
      "error",
      "batch failed",
      () =>
        `a batch of packets is lost to an internal error: ${reasonOf(error)}`,
    );
  }

  numbersLow({ mux }: Connection, senderId: number): void {
    this.#log.write(
      "warning",
      "numbers low",
      () =>
        `connection ${mux} has used half of the sequence numbers of its last ` +
        `sender id, ${senderId}, and will stop sending at 2^32: ${REMEDY}`,
    );
  }

  numbersSpent({ mux }: Connection, senderId: number): void {
    this.#log.write(
      "error",
      "numbers spent",
      () =>
        `connection ${mux} has stopped sending: it has used all sequence ` +
        `numbers of its last sender id, ${senderId}, and to go on would be ` +
        `to use key streams again: ${REMEDY}`,
    );
  }

  /** Says how many lines were held back so far. */
  flush(): void {
    this.#log.flush();
  }
}

function endpointText(connection: Connection): string {
  const endpoint = readEndpoint(connection.endpoint, 0);
  return endpoint === undefined ? "unknown" : formatEndpoint(endpoint);
}
