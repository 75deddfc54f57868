// Options of a tunnel, as a program gives them.
import {
  idOption,
  type SatpOptions,
  satpParameters,
} from "../crypto/satp_options.ts";
import type { Logger } from "../log/logger.ts";
import { type IpAddress, parseAddress } from "../net/address.ts";
import { type Endpoint, parseEndpoint } from "../net/endpoint.ts";
import { parsePrefix, type Prefix } from "../net/prefix.ts";
import type { SatpParameters } from "../satp/params.ts";
import { MAX_WINDOW_SIZE } from "../satp/replay_window.ts";
import type { DeviceType } from "../satp/header.ts";
import {
  defaultMss,
  type EngineChoice,
  MAX_WORKERS,
  MSS_RANGE,
  type MssChoice,
  type MtuDiscovery,
  OFFLOAD_NAMES,
  type OffloadName,
  type WorkersChoice,
} from "./settings.ts";

/** Options of a {@link Tunnel}; names and defaults as in anytun(8). */
export interface TunnelOptions extends SatpOptions {
  /** The device that packets come from and go to. */
  readonly device?: TunnelDeviceOptions;
  /** Addresses of this host to listen on; default all. */
  readonly addresses?: readonly string[];
  /** UDP port to listen on; default 4444, and 0 lets the system choose. */
  readonly port?: number;
  /** Where the peer is, such as `192.0.2.1:4444`; default: where it is heard. */
  readonly remote?: string;
  /** Whether a peer that is known may move to where it is heard; default true. */
  readonly roaming?: boolean;
  /** Number of the first connection, 0 to 65535; default 0. */
  readonly mux?: number;
  /** Sequence numbers that the replay window spans; default 1024. */
  readonly windowSize?: number;
  /**
   * Whether there are several connections, and routes choose one for each
   * packet; default false: all packets go to the first connection.
   */
  readonly routing?: boolean;
  /**
   * Whether a peer may send packets from any source address; default false: with
   * routing and on a tun device, from networks that are routed to it alone.
   */
  readonly anySource?: boolean;
  /** Which engine does the cryptography; default `auto`. */
  readonly engine?: EngineChoice;
  /**
   * Threads that carry packets, 1 to 64, of which a tunnel without routing
   * uses two at most; default `auto`.
   */
  readonly workers?: WorkersChoice;
  /** What the kernel may take off the data plane; default all. */
  readonly offloads?: readonly OffloadName[];
  /**
   * Folder in which it is kept which sequence numbers and sender ids were used,
   * and which numbers were accepted; default: none. With it a tunnel that is
   * started again, also after a crash or a kill, sends nothing under a number
   * that was used with the same keys, and accepts nothing that it has accepted.
   * Several tunnels and daemons may use one folder, at the same time as well.
   *
   * The folder is made where it is missing, but not the one that it is in. It
   * has to belong to the user of the process or to root, and nobody else may
   * write to it. It needs no permission beside `--allow-ffi`, and holds no key.
   * Whoever removes it, or goes back to an old copy, has numbers used again.
   *
   * Numbers are reserved ahead of their use, 2^21 of them or what ten seconds
   * take, by a timer of the thread that made the tunnel: sending stops if that
   * is held up for longer, or if the disk is full. What cannot be kept while
   * the tunnel runs, or is damaged, is told to the `logger`.
   *
   * @example A tunnel that may be killed at any time and started again
   * ```ts ignore
   * import { StateError, Tunnel } from "@anytun/anytun";
   *
   * await using tunnel = new Tunnel({
   *   role: "left",
   *   passphrase: "only an example",
   *   remote: "192.0.2.1:4444",
   *   device: { name: "tun0", addresses: ["10.0.0.1/24"] },
   *   stateDir: "/var/lib/example",
   *   logger: { ...console, warning: console.warn, notice: console.info },
   * });
   * await tunnel.start().catch((error) => {
   *   if (error instanceof StateError) console.error(error.path, error.message);
   *   throw error;
   * });
   * await tunnel.finished;
   * ```
   */
  readonly stateDir?: string;
  /** Seconds without a datagram until a peer is silent; default 30. */
  readonly silentAfter?: number;
  /**
   * Seconds without a datagram to a peer until it is sent one without payload,
   * which keeps routers that translate addresses from forgetting; default 0,
   * never.
   */
  readonly keepalive?: number;
  /**
   * The longest segments of TCP connections through the tunnel: `auto` for what
   * fits the device and the path, 88 to 65534 bytes to bound it as well, or
   * `off`; default `auto` with `tun`, `off` with `tap`.
   */
  readonly mss?: MssChoice;
  /**
   * Whether datagrams say "don't fragment": `no`, the default; `maybe`, as long
   * as they fit what is known of the path; or `yes`. With both of these, senders
   * of packets that are too long for the path are told so by ICMP.
   */
  readonly mtuDiscovery?: MtuDiscovery;
  /** Takes the lines that the daemon would log; default: nobody. */
  readonly logger?: Logger;
}

/** The device of a tunnel. */
export interface TunnelDeviceOptions {
  /** At most 15 bytes; default: the kernel chooses. */
  readonly name?: string;
  /** IP packets (`tun`, the default) or Ethernet frames (`tap`). */
  readonly type?: DeviceType;
  /** Such as `10.0.0.1/24`; without one the link is left alone. */
  readonly addresses?: readonly string[];
  /** Bytes, 68 to 65535; default 1400. Only with an address. */
  readonly mtu?: number;
}

/** Options as they are used. */
export interface ReadOptions {
  readonly params: SatpParameters;
  readonly mux: number;
  readonly windowSize: number;
  readonly remote: Endpoint | undefined;
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  readonly offloads: ReadonlySet<OffloadName>;
  readonly workers: WorkersChoice;
  readonly stateDir: string | undefined;
  /** Milliseconds. */
  readonly silentAfter: number;
  /** Milliseconds; 0 for never. */
  readonly keepalive: number;
  readonly mss: MssChoice;
}

const DEFAULT_PORT = 4444;
const DEFAULT_WINDOW_SIZE = 1024;
const DEFAULT_SILENCE_S = 30;

/**
 * Checks what can be checked before anything is opened.
 *
 * @throws {SatpError} BAD_PARAMETER for what belongs to the protocol
 * @throws {TypeError} for an address that is none, or a path
 * @throws {RangeError} for a number that is too small or too large
 */
export function readOptions(options: TunnelOptions): ReadOptions {
  const seconds = options.silentAfter ?? DEFAULT_SILENCE_S;
  if (!(seconds > 0)) {
    throw new RangeError(
      `Cannot use silentAfter ${seconds}: it must be a number above 0`,
    );
  }
  return {
    params: satpParameters(options),
    mux: idOption("mux", options.mux),
    windowSize: windowOption(options.windowSize),
    remote: remoteOption(options.remote),
    addresses: (options.addresses ?? []).map(addressOption),
    port: wholeNumber("port", options.port ?? DEFAULT_PORT, 0xffff),
    offloads: new Set(options.offloads ?? OFFLOAD_NAMES),
    workers: workersOption(options.workers),
    stateDir: folderOption(options.stateDir),
    silentAfter: seconds * 1000,
    keepalive: wholeNumber("keepalive", options.keepalive ?? 0, 0xffff) * 1000,
    mss: mssOption(options),
  };
}

/** @throws {RangeError} if no replay window can be that large */
export function windowOption(size = DEFAULT_WINDOW_SIZE): number {
  return wholeNumber("windowSize", size, MAX_WINDOW_SIZE);
}

/** @throws {TypeError} if the text is no endpoint */
export function remoteOption(text: string | undefined): Endpoint | undefined {
  if (text === undefined) return undefined;
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined && endpoint.port > 0) return endpoint;
  throw new TypeError(
    `Cannot use remote '${text}': it must be an address and a port, ` +
      "such as 192.0.2.1:4444 or [2001:db8::1]:4444",
  );
}

/** @throws {TypeError} if the text is no prefix */
export function prefixOption(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  throw new TypeError(
    `Cannot use prefix '${text}': it must be an address and a length, ` +
      "such as 192.0.2.0/24 or 2001:db8::/32",
  );
}

function addressOption(text: string): IpAddress {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new TypeError(`Cannot listen on '${text}': it must be an IP address`);
}

function folderOption(path: string | undefined): string | undefined {
  if (path === undefined || path !== "" && !path.includes("\0")) return path;
  throw new TypeError(
    `Cannot use stateDir ${
      JSON.stringify(path)
    }: it must be the path of a folder`,
  );
}

function workersOption(workers: WorkersChoice = "auto"): WorkersChoice {
  if (workers === "auto") return workers;
  return wholeNumber("workers", workers, MAX_WORKERS, 1);
}

function mssOption({ mss, device }: TunnelOptions): MssChoice {
  const choice = mss ?? defaultMss(device?.type ?? "tun");
  if (typeof choice === "string") return choice;
  return wholeNumber("mss", choice, MSS_RANGE.most, MSS_RANGE.least);
}

function wholeNumber(
  name: string,
  value: number,
  most: number,
  least = 0,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: it must be a whole number, ${least} to ${most}`,
  );
}
