// Watch over the paths of a plane that runs, with sockets of its own.
import { SystemError } from "../../ffi/errno.ts";
import type { Libc } from "../../ffi/libc.ts";
import { PathProbe } from "../../ffi/net/path_probe.ts";
import { PortProbe } from "../../ffi/net/port_probe.ts";
import { sockaddrFamily, type SocketAddress } from "../../ffi/net/sockaddr.ts";
import type { SocketWay } from "../../ffi/net/udp.ts";
import { DeviceWay } from "../../ffi/tuntap/device_way.ts";
import { delay } from "../net/delay.ts";
import { every } from "../net/every.ts";
import { endpointWords } from "./connection_table.ts";
import {
  LOOK_MS,
  PathMtuWatch,
  type PathMtuWatchOptions,
} from "./path_mtu_watch.ts";

/**
 * How often another host is asked whether a port is closed, and how long it may
 * take each time, in ms: hosts say so once a second, of what is sent to them in
 * that time (icmp_ratelimit).
 */
const KNOCKS = 40;
const ANSWER_MS = 250;

export interface WatchedPathsOptions
  extends Omit<PathMtuWatchOptions, "device" | "inTheWay" | "probes"> {
  readonly libc: Libc;
  readonly device: { readonly mtu: number; readonly name: string };
  /** Of the device, unless it is that of the sockets. */
  readonly namespace: string | undefined;
  /** Those that datagrams are sent from: the first of each family counts. */
  readonly locals: readonly SocketAddress[];
  readonly way: SocketWay | undefined;
}

export class WatchedPaths {
  readonly #probes: readonly PathProbe[];
  readonly #options: Pick<WatchedPathsOptions, "libc" | "locals" | "table">;
  readonly #watch: PathMtuWatch;
  readonly #deviceWay: DeviceWay | undefined;
  #way: SocketWay;
  #isOver = false;

  /** @param until Settles when the plane has ended */
  constructor(
    { libc, locals, way, namespace, ...options }: WatchedPathsOptions,
    until: Promise<unknown>,
  ) {
    this.#options = { libc, locals, table: options.table };
    this.#way = way ?? {};
    this.#probes = ([4, 16] as const).flatMap((bytes) => {
      const local = localOf(locals, bytes);
      return local === undefined ? [] : openProbe(libc, local, way);
    });
    const { name } = options.device;
    // Elsewhere its routes lead no datagram to it.
    const isElsewhere = namespace !== undefined || way?.device !== undefined;
    this.#deviceWay = isElsewhere ? undefined : openWay(libc, name);
    this.#watch = new PathMtuWatch({
      ...{ ...options, probes: this.#probes },
      inTheWay: { name, isWayTo: (address) => this.#isWayTo(address) },
    });
    const over = new AbortController();
    const end = () => {
      this.#isOver = true;
      over.abort();
      for (const probe of this.#probes) probe.close();
      this.#deviceWay?.[Symbol.dispose]();
    };
    until.then(end, end);
    this.#watch.look();
    // What it throws is a fault of ours, and no reason to carry nothing.
    every(LOOK_MS, () => this.#watch.look(), over.signal).catch((error) => {
      options.logger.error(`the paths are not watched any more: ${error}`);
    });
  }

  /** As that of the sockets that send. */
  setMark(mark: number): void {
    if (this.#isOver) return;
    this.#way = { ...this.#way, mark };
    for (const probe of this.#probes) probe.setMark(mark);
  }

  /** See {@link PathMtuWatch.lookAt}. */
  lookAt(mux: number): void {
    // The descriptors may be those of other files by now.
    if (!this.#isOver) this.#watch.lookAt(mux);
  }

  /** Whether the host of a peer answers that nobody listens at its port. */
  async isPortClosed(mux: number): Promise<boolean> {
    const { libc, locals, table } = this.#options;
    const words = endpointWords();
    table.endpoints.copy(mux, words, 0);
    const local = localOf(locals, sockaddrFamily(words, 0) === 4 ? 4 : 16);
    if (this.#isOver || local === undefined || words[0] === 0) return false;
    try {
      using probe = new PortProbe(libc, local, this.#way);
      for (let k = 0; k < KNOCKS && !this.#isOver; k++) {
        probe.knock(words, 0);
        await delay(ANSWER_MS);
        if (probe.isRefused) return true;
      }
      return false;
    } catch (error) {
      // Such as a mark that takes privileges: then nobody knows.
      if (error instanceof SystemError) return false;
      throw error;
    }
  }

  #isWayTo(to: Uint8Array): boolean {
    const from = localOf(this.#options.locals, to.length)?.address;
    if (from === undefined || this.#isOver) return false;
    const mark = this.#way.mark ?? 0;
    return this.#deviceWay?.isTaken({ to, from, mark }) ?? false;
  }

  /** See {@link PathMtuWatch.addTo}. */
  addTo(counters: Float64Array): Float64Array {
    return this.#watch.addTo(counters);
  }
}

/** Of one family, by the size of its addresses. */
function localOf(
  locals: readonly SocketAddress[],
  bytes: number,
): SocketAddress | undefined {
  return locals.find(({ address }) => address.length === bytes);
}

/** Without it nobody knows whether the device is in the way. */
function openWay(libc: Libc, name: string): DeviceWay | undefined {
  try {
    return new DeviceWay(libc, name);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** Without one, less is known of the paths. */
function openProbe(
  libc: Libc,
  local: SocketAddress,
  way: SocketWay | undefined,
): readonly PathProbe[] {
  try {
    return [new PathProbe(libc, local, way)];
  } catch (error) {
    if (error instanceof SystemError) return [];
    throw error;
  }
}
