// Log lines of the data plane, in the words of the original: scripts grep for
// them (CLI section 6). Each names its cause, and the option that is likely
// wrong. Bad datagrams cost a bounded number of lines: for each connection and
// cause, and for all strangers together.
import { sameSockaddr } from "../../ffi/net/sockaddr.ts";
import type { LevelName } from "../log/level.ts";
import type { LogFields, Logger } from "../log/logger.ts";
import { reasonOf } from "../log/reason.ts";
import { NOBODY, RateLimitedLog } from "../log/rate_limited_log.ts";
import { formatAddress, type IpAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { formatNamedEndpoint, type InterfaceName } from "../net/zone.ts";
import { PayloadType } from "../satp/header.ts";
import type { ReplayLoss } from "../satp/replay_memory.ts";
import { Cause, CAUSE_WORDS, SEND_REMEDIES, sendCause } from "./causes.ts";
import type { Connection } from "./connection.ts";
import { readEndpoint } from "./endpoint_words.ts";
import type { InboundEvents } from "./inbound.ts";
import type { OutboundEvents } from "./outbound.ts";
import { longWaitText } from "./record_lock.ts";
import type { TunnelSettings } from "./settings.ts";
import { destinationOf, goesToMany, sourceOf } from "./source_filter.ts";

/** Lines of one cause about one connection: a few at once, then one a minute. */
const LIMIT = { burst: 3, perSecond: 1 / 60 };

/** Of all strangers together, whatever they do. */
const STRANGERS_LIMIT = { burst: 5, perSecond: 0.1 };

const OF_STRANGERS = "from unknown senders";

/** What helps a connection that runs out of numbers. */
const REMEDY =
  "give both ends new keys, or start this one again with --sender-id auto";

export class PlaneLog implements InboundEvents, OutboundEvents {
  readonly #log: RateLimitedLog;
  readonly #strangers: RateLimitedLog;
  readonly #chained: number | undefined;
  readonly #ownMux: number | undefined;
  readonly #isTap: boolean;
  readonly #isRouting: boolean;
  readonly #interfaceName: InterfaceName | undefined;

  /** @param interfaceName For zones of addresses */
  constructor(
    logger: Logger,
    now: () => number,
    { chained, mux, deviceType, routing }: Partial<TunnelSettings> = {},
    interfaceName?: InterfaceName,
  ) {
    this.#chained = chained;
    this.#ownMux = mux;
    this.#isTap = deviceType === "tap";
    this.#isRouting = routing ?? false;
    this.#interfaceName = interfaceName;
    this.#log = new RateLimitedLog(logger, LIMIT, now);
    this.#strangers = new RateLimitedLog(logger, STRANGERS_LIMIT, now);
  }

  unknownMux(mux: number, words: Uint32Array, source: number): void {
    if (this.#holdsBackOfStranger()) return;
    this.#tellOfUnknownMux(mux, words, source);
  }

  wrongTag(connection: Connection, words: Uint32Array, source: number): void {
    const isPeer = sameSockaddr(connection.endpoint, 0, words, source);
    const isHeldBack = isPeer
      ? this.#log.holdsBack("notice", Cause.WRONG_TAG, connection.mux)
      : this.#holdsBackOfStranger();
    if (!isHeldBack) this.#tellOfWrongTag(connection, words, source, isPeer);
  }

  replay(connection: Connection, seq: number, senderId: number): void {
    if (this.#log.holdsBack("notice", Cause.REPLAY, connection.mux)) return;
    this.#tellOfReplay(connection, seq, senderId);
  }

  wrongPayloadType(connection: Connection, type: number): void {
    const isOtherDevice = this.#isTap
      ? type === PayloadType.IPV4 || type === PayloadType.IPV6
      : type === PayloadType.ETHERNET;
    this.#tell("notice", Cause.WRONG_PAYLOAD_TYPE, connection, (endpoint) => {
      const hex = type.toString(16).padStart(4, "0");
      const is = `connection ${connection.mux}: ${
        CAUSE_WORDS["wrong-payload-type"]
      } 0x${hex} in what ${endpoint} sends`;
      const [own, other] = this.#isTap ? ["tap", "tun"] : ["tun", "tap"];
      return isOtherDevice
        ? `${is}: its device is a ${other} device, and that of this end a ` +
          `${own} device (--type)`
        : `${is}: --cipher of both ends has to be the same, and without tags ` +
          "(--auth-algo) the keys";
    });
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
    this.#tell(
      "notice",
      Cause.WRONG_SOURCE,
      connection,
      () =>
        `connection ${connection.mux} has sent a packet ` +
        (source === undefined
          ? "without an IP header"
          : `from ${formatAddress(source)}, which is not routed to it: it ` +
            "needs a --route") +
        " (--any-source lets it)",
    );
  }

  nowhereToSend(
    connection: Connection | undefined,
    memory: Uint8Array,
    at: number,
    size: number,
  ): void {
    // Hosts look for routers and listeners as soon as a link is up.
    if (!this.#isTap && goesToMany(memory, at, size)) return;
    const cause = Cause.NOWHERE_TO_SEND;
    if (this.#log.holdsBack("notice", cause, connection?.mux)) return;
    this.#tellOfNowhere(connection, memory, at, size);
  }

  #tellOfNowhere(
    connection: Connection | undefined,
    memory: Uint8Array,
    at: number,
    size: number,
  ): void {
    const mux = connection?.mux;
    this.#log.write("notice", Cause.NOWHERE_TO_SEND, () => {
      const to = this.#isTap ? undefined : destinationOf(memory, at, size);
      const packet = to === undefined ? "" : ` to ${formatAddress(to)}`;
      return {
        text: `${CAUSE_WORDS["nowhere-to-send"]} a packet${packet}: ${
          this.#reasonOfNowhere(mux)
        }`,
        fields: { cause: Cause.NOWHERE_TO_SEND, mux },
      };
    }, mux);
  }

  #reasonOfNowhere(mux: number | undefined): string {
    if (mux !== undefined) {
      return `the peer of connection ${mux} has not been heard yet, and there ` +
        "is no --remote-host for it";
    }
    return this.#isRouting
      ? "no route leads to a connection (--route), or there is none yet"
      : "the address of the peer is not known yet (--remote-host)";
  }

  noSocket(to: Endpoint): void {
    this.#log.write("warning", Cause.NO_SOCKET, () => {
      const endpoint = formatNamedEndpoint(to, this.#interfaceName);
      const other = to.address.family === 4 ? 6 : 4;
      return {
        text:
          `${
            CAUSE_WORDS["no-socket"]
          } for remote endpoint protocol: ${endpoint} (this end listens on ` +
          `IPv${other} alone: --interface, --ipv4-only, --ipv6-only)`,
        fields: { cause: Cause.NO_SOCKET, endpoint },
      };
    });
  }

  /** @param code Such as `ENETUNREACH` */
  sendFailed(connection: Connection, code: string): void {
    const cause = sendCause(code);
    if (this.#log.holdsBack("warning", cause, connection.mux)) return;
    this.#tellOfFailure(connection, cause, code);
  }

  #tellOfFailure(connection: Connection, cause: Cause, code: string): void {
    this.#tell("warning", cause, connection, (endpoint) => {
      const why = SEND_REMEDIES[cause] ?? `the kernel says ${code}`;
      return `connection ${connection.mux} ${
        CAUSE_WORDS["send-failed"]
      } ${endpoint}: ${why}`;
    });
  }

  deviceRefused(): void {
    this.#log.write("warning", Cause.DEVICE_REFUSED, () => ({
      text: `${CAUSE_WORDS["device-refused"]}: it is down (ip link set … up, ` +
        "or --ifconfig), or they are none that its kind takes",
      fields: { cause: Cause.DEVICE_REFUSED },
    }));
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
        "there are more sender ids than accepted numbers are kept of: " +
        "recordings of some may be accepted once more, after a restart and " +
        "by other members of a cluster",
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

  /** Another thread holds the record of a connection. */
  waitsFor(mux: number): void {
    this.#log.write(
      "warning",
      "long wait",
      () => ({ text: longWaitText(mux), fields: { mux } }),
      mux,
    );
  }

  numbersLow({ mux }: Connection, senderId: number): void {
    this.#log.write("warning", "numbers low", () => ({
      text:
        `connection ${mux} has used half of the sequence numbers of its last ` +
        `sender id, ${senderId}, and will stop sending at 2^32` +
        this.#remedy(mux),
      fields: { mux },
    }), mux);
  }

  numbersSpent({ mux }: Connection, senderId: number): void {
    this.#log.write("error", "numbers spent", () => ({
      text: `connection ${mux} has stopped sending: it has used all sequence ` +
        `numbers of its last sender id, ${senderId}, and to go on would be ` +
        `to use key streams again${this.#remedy(mux)}`,
      fields: { mux },
    }), mux);
  }

  #remedy(mux: number): string {
    return mux === this.#chained
      ? ", until the next epoch of its key chain"
      : `: ${REMEDY}`;
  }

  /** Says how many lines were held back so far. */
  flush(): void {
    this.#log.flush();
    this.#strangers.flush();
  }

  #tellOfUnknownMux(mux: number, words: Uint32Array, source: number): void {
    this.#tellOfStranger(
      Cause.UNKNOWN_MUX,
      words,
      source,
      (endpoint) =>
        `${CAUSE_WORDS["unknown-mux"]} ${mux} in a datagram from ${endpoint}: ${
          this.#reasonOfUnknown(mux)
        }`,
    );
  }

  #reasonOfUnknown(mux: number): string {
    // Other members may not have told of it yet, as after a start.
    if (this.#isRouting) {
      return "no client that is known here has it (--mux there; " +
        "--control-host and --sync-hosts tell of clients)";
    }
    const own = this.#ownMux;
    // Those of the peer that come while this end starts.
    if (own === mux) {
      return "its connection is not there yet: this end is about to begin, " +
        "or looks for an address of its peer (--remote-host)";
    }
    const here = own === undefined ? "" : `, of this end it is ${own}`;
    return `no connection has it (--mux has to be the same at both ends${here})`;
  }

  #tellOfWrongTag(
    connection: Connection,
    words: Uint32Array,
    source: number,
    isPeer: boolean,
  ): void {
    const { mux } = connection;
    const text = (endpoint: string) =>
      `${CAUSE_WORDS["wrong-tag"]} in a datagram from ${endpoint} for ` +
      `connection ${mux}: the keys of both ends have to be the same, and ` +
      "--kd-prf, --auth-algo, --auth-tag-length; --role has to be the other";
    if (isPeer) this.#tell("notice", Cause.WRONG_TAG, connection, text);
    else this.#tellOfStranger(Cause.WRONG_TAG, words, source, text, mux);
  }

  #tellOfReplay(connection: Connection, seq: number, senderId: number): void {
    this.#tell(
      "notice",
      Cause.REPLAY,
      connection,
      (endpoint) =>
        `${CAUSE_WORDS.replay} ${endpoint} seq:${seq} sid: ${senderId}` +
        reasonOfReplay(connection, seq, senderId),
    );
  }

  /** About the peer where it is known to be. */
  #tell(
    level: LevelName,
    cause: Cause,
    { mux, endpoint: words }: Connection,
    text: (endpoint: string) => string,
  ): void {
    this.#log.write(level, cause, () => {
      const endpoint = this.#textOf(words, 0);
      const fields: LogFields = { cause, mux, endpoint };
      return { text: text(endpoint ?? "its unknown peer"), fields };
    }, mux);
  }

  // One budget for whatever anybody may send: no connection's lines are part of
  // it.
  #holdsBackOfStranger(): boolean {
    return this.#strangers.holdsBack("notice", OF_STRANGERS);
  }

  #tellOfStranger(
    cause: Cause,
    words: Uint32Array,
    source: number,
    text: (endpoint: string) => string,
    mux?: number,
  ): void {
    this.#strangers.write("notice", OF_STRANGERS, () => {
      const endpoint = this.#textOf(words, source) ?? "nowhere";
      return { text: text(endpoint), fields: { cause, mux, endpoint } };
    }, NOBODY);
  }

  #textOf(words: Uint32Array, at: number): string | undefined {
    const endpoint = readEndpoint(words, at);
    return endpoint && formatNamedEndpoint(endpoint, this.#interfaceName);
  }
}

/** RFC 4291 section 2.5.6, and the unspecified address before there is one. */
function isLinkLocal({ family, bytes: [a = 0, b = 0, ...rest] }: IpAddress) {
  return family === 6 &&
    (a === 0xfe && (b & 0xc0) === 0x80 ||
      a === 0 && b === 0 && rest.every((byte) => byte === 0));
}

// Whoever is started again without its numbers counts from 0.
function reasonOfReplay(
  { mux, sets }: Connection,
  seq: number,
  senderId: number,
): string {
  const replay = sets.map(({ replay }) => replay)
    .find((window) => window.highest(senderId) !== undefined);
  const highest = replay?.highest(senderId);
  if (replay === undefined || highest === undefined) return "";
  const behind = (highest - seq) >>> 0;
  return behind < replay.size
    ? `: connection ${mux} has had this number already, so that the network ` +
      "or somebody else has sent it twice"
    : `: connection ${mux} is at ${highest}: a peer that was started again ` +
      "and counts from 0 needs --state-dir or --sender-id auto there, or " +
      "--window-size 0 here";
}
