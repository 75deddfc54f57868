// Settings of a data plane.
import type { SatpParameters } from "../satp/params.ts";
import type { DeviceType } from "../satp/header.ts";

export { MIN_IPV6_MTU } from "../offload/fields.ts";

/** Which engine does the cryptography; `auto` is the fastest there is. */
export type EngineChoice =
  | "auto"
  | "ipsec-mb"
  | "openssl"
  | "builtin"
  | "webcrypto";

/** Threads that carry packets; `auto` goes by the processors. */
export type WorkersChoice = "auto" | number;

/** The most threads that can carry packets. */
export const MAX_WORKERS = 64;

/**
 * What the kernel can take off the data plane: the device hands over several
 * packets of TCP (tso) or UDP (uso) at once, datagrams are sent (gso) and
 * received (gro) several at once, packets are written to the device several at
 * once (coalesce).
 */
export type OffloadName = "tso" | "uso" | "gso" | "gro" | "coalesce";

/** All offloads. */
export const OFFLOAD_NAMES: readonly OffloadName[] = [
  "tso",
  "uso",
  "gso",
  "gro",
  "coalesce",
];

/** Of a device that is given addresses, in bytes. */
export const DEFAULT_MTU = 1400;

/**
 * How segments of TCP connections through the tunnel are bounded: not at all, by
 * what fits the path, or by so many bytes as well.
 */
export type MssChoice = "off" | "auto" | number;

/** What Linux takes at the least, and what an option of TCP can say. */
export const MSS_RANGE = { least: 88, most: 0xfffe } as const;

/** Frames of a TAP device are looked into only where somebody asks for it. */
export function defaultMss(type: DeviceType): MssChoice {
  return type === "tun" ? "auto" : "off";
}

/** The DSCP of datagrams: 0, that of the packet inside, or this one. */
export type DscpChoice = "off" | "copy" | number;

/**
 * Whether datagrams say "don't fragment": never; as long as they fit what the
 * kernel knows of the path, and are cut otherwise; or always, so that what does
 * not fit is refused.
 */
export type MtuDiscovery = "no" | "maybe" | "yes";

export const MTU_DISCOVERIES: readonly MtuDiscovery[] = ["no", "maybe", "yes"];

/** How many one after the other: the generations that 8 bits tell apart. */
export const MAX_SENDER_IDS = 256;

/** Sender ids to take from: from the first to the last, 0 to 65535. */
export interface SenderIdRange {
  readonly first: number;
  readonly last: number;
}

/** All there are. */
export const ANY_SENDER_ID: SenderIdRange = { first: 0, last: 0xffff };

/** What the kernel is told about the sockets between the peers. */
export interface SocketChoices {
  /** Of each datagram, for routing rules and firewalls; 0 is none. */
  readonly mark: number;
  /** The network device that all datagrams come and go over. */
  readonly device: string | undefined;
}

/** What is the same for all packets of a tunnel as long as it runs. */
export interface TunnelSettings {
  readonly params: SatpParameters;
  /** Whether packets are of IP (tun) or of Ethernet (tap). */
  readonly deviceType: DeviceType;
  /** The own mux, for packets where there is no routing. */
  readonly mux: number;
  /** Whether there are several connections, and routes choose one. */
  readonly routing: boolean;
  /** Whether packets from a peer may have sources that are routed elsewhere. */
  readonly anySource: boolean;
  /** Of the datagrams to send, one after the other: 1 to 256. */
  readonly senderIds: readonly number[];
  /** Whether the sequence numbers of the last one may wrap. */
  readonly allowWrap: boolean;
  /** The mux of the connection that has other keys in each epoch, if any. */
  readonly chained?: number | undefined;
  /** Whether a peer that is known may move to where it is heard. */
  readonly roaming: boolean;
  /** Without it never. */
  readonly mtuDiscovery?: MtuDiscovery | undefined;
  readonly engine: EngineChoice;
  readonly workers: WorkersChoice;
  readonly offloads: ReadonlySet<OffloadName>;
  /** Path of the device's network namespace, unless it is the present one. */
  readonly namespace?: string | undefined;
  /** Without them the kernel decides. */
  readonly sockets?: SocketChoices | undefined;
  /**
   * Addresses that this host has only now and then, in network order: sockets
   * are bound to them, and send from them, all the time.
   */
  readonly anycast?: readonly Uint8Array[] | undefined;
}
