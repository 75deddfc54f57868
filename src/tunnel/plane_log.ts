// Log lines of the data plane, in the words of the original: scripts grep for
// them (CLI section 6). Bad datagrams cost a bounded number of lines.
import type { Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import { formatAddress, type IpAddress } from "../net/address.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";
import type { ReplayLoss } from "../satp/replay_memory.ts";
import type { Connection } from "./connection.ts";
import { readEndpoint } from "./endpoint_words.ts";
import type { InboundEvents } from "./inbound.ts";
import type { OutboundEvents } from "./outbound.ts";
import type { TunnelSettings } from "./settings.ts";
import { sourceOf } from "./source_filter.ts";

/** Lines of one kind: a handful at once, then one every ten seconds. */
const LIMIT = { burst: 5, perSecond: 0.1 };

/** How often it is said how many lines were held back, in ms. */
export const FLUSH_MS = 10_000;

/** What helps a connection that runs out of numbers. */
const REMEDY =
  "give both ends new keys, or start this one again with --sender-id auto";

export class PlaneLog implements InboundEvents, OutboundEvents {
  readonly #log: RateLimitedLog;
  readonly #chained: number | undefined;

  constructor(
    logger: Logger,
    now: () => number,
    { chained }: Pick<TunnelSettings, "chained"> = {},
  ) {
    this.#chained = chained;
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

  wrongSource(
    connection: Connection,
    memory: Uint8Array,
    at: number,
    size: number,
  ): void {
    const source = sourceOf(memory, at, size);
    // Hosts send from there by themselves as soon as a link is up.
    if (source !== undefined && isLinkLocal(source)) return;
    this.#log.write(
      "notice",
      "wrong source",
      () =>
        `connection ${connection.mux} has sent a packet ` +
        (source === undefined
          ? "without an IP header"
          : `from ${formatAddress(source)}, which is not routed to it`) +
        " (--any-source lets it)",
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

  replayLoss(loss: ReplayLoss): void {
    if (loss === "bits") {
      this.#log.write(
        "notice",
        "replay windows",
        () =>
          "replay windows take all the memory they may, or one connection " +
          "all its sender ids: of the one that was silent longest only the " +
          "highest number is kept, and late datagrams of it are refused",
      );
      return;
    }
    this.#log.write(
      "warning",
      "replay memory",
      () =>
        "replay windows take all the memory they may: a sender id that was " +
        "silent for long is forgotten, and recordings of it count as new: " +
        "give its peer new keys",
    );
  }

  acceptedFull(): void {
    this.#log.write(
      "warning",
      "accepted numbers",
      () =>
        "there are more sender ids than the state folder has room for: after " +
        "a restart recordings of some may be accepted once more",
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
        `sender id, ${senderId}, and will stop sending at 2^32` +
        this.#remedy(mux),
    );
  }

  numbersSpent({ mux }: Connection, senderId: number): void {
    this.#log.write(
      "error",
      "numbers spent",
      () =>
        `connection ${mux} has stopped sending: it has used all sequence ` +
        `numbers of its last sender id, ${senderId}, and to go on would be ` +
        `to use key streams again${this.#remedy(mux)}`,
    );
  }

  #remedy(mux: number): string {
    return mux === this.#chained
      ? ", until the next epoch of its key chain"
      : `: ${REMEDY}`;
  }

  /** Says how many lines were held back so far. */
  flush(): void {
    this.#log.flush();
  }
}

/** RFC 4291 section 2.5.6, and the unspecified address before there is one. */
function isLinkLocal({ family, bytes: [a = 0, b = 0, ...rest] }: IpAddress) {
  return family === 6 &&
    (a === 0xfe && (b & 0xc0) === 0x80 ||
      a === 0 && b === 0 && rest.every((byte) => byte === 0));
}

function endpointText(connection: Connection): string {
  const endpoint = readEndpoint(connection.endpoint, 0);
  return endpoint === undefined ? "unknown" : formatEndpoint(endpoint);
}
