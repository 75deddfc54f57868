// Construction of the native plane: device and sockets with their offloads.
import type { Libc } from "../../../ffi/libc.ts";
import type { TunTapDevice } from "../../../ffi/tuntap/device.ts";
import { TunTapError } from "../../../ffi/tuntap/errors.ts";
import {
  openDevice,
  openSharedDevice,
} from "../../../ffi/tuntap/open_device.ts";
import type { SocketWay, UdpSocket } from "../../../ffi/net/udp.ts";
import { openUdpGroup } from "../../../ffi/net/udp_group.ts";
import { Offload } from "../../../ffi/tuntap/vnet.ts";
import type { Logger } from "../../log/logger.ts";
import {
  ANY_IPV4,
  ANY_IPV6,
  type IpAddress,
  unmapped,
} from "../../net/address.ts";
import type { Endpoint } from "../../net/endpoint.ts";
import type { FamilyChoice } from "../../net/resolver.ts";
import { MUX_AT } from "../../satp/header.ts";
import { sameBytes } from "../../satp/same_bytes.ts";
import { openNamespace } from "../namespace.ts";
import { BindError } from "../bind_error.ts";
import { type Crew, crewOf, membersOf, type WorkerSockets } from "./crew.ts";
import type { ConnectionTable } from "../connection_table.ts";
import { KernelDrops } from "../kernel_drops.ts";
import { LiveSettings } from "../live_settings.ts";
import { WatchedPaths } from "../watched_paths.ts";
import type { CrewMember, NativeEngineName } from "./messages.ts";
import type { NativeOptions, NativePlane } from "./plane.ts";
import type {
  DeviceHandle,
  PlaneBuilder,
  PlaneSetup,
  RunningPlane,
} from "../plane.ts";
import type { OffloadName, TunnelSettings } from "../settings.ts";

/**
 * What the kernel may hold for each socket, in bytes. To receive: bursts of a
 * fast link last longer than a time slice. To send: 4 ms at 1 Gbit/s, with less
 * TCP is slower there; half a second at 10 Mbit/s, with more all wait longer.
 */
const SOCKET_BUFFERS = { send: 512 << 10, receive: 8 << 20 };

const TCP_OFFLOADS = Offload.TSO4 | Offload.TSO6 | Offload.TSO_ECN;
const UDP_OFFLOADS = Offload.USO4 | Offload.USO6;

/**
 * Most of what carries single packets is compiled then. More of them take longer
 * than the first packets save.
 */
const WARM_UP_ROUNDS = 500;

interface BuilderParts {
  readonly libc: Libc;
  /** Workers that are loaded but not started. */
  readonly plane: NativePlane;
  readonly engine: NativeEngineName;
  readonly logger: Logger;
  readonly description: string;
}

export class NativeBuilder implements PlaneBuilder {
  readonly description: string;
  readonly #libc: Libc;
  readonly #plane: NativePlane;
  readonly #engine: NativeEngineName;
  readonly #settings: TunnelSettings;
  readonly #logger: Logger;
  readonly #opened = new DisposableStack();
  #device: TunTapDevice | undefined;
  #paths: WatchedPaths | undefined;
  /** Whether the sockets do. */
  #tellsClasses = false;
  /** Of workers by flow. */
  #crew: Crew | undefined;
  /** Of each address as many as there are workers that receive. */
  readonly #groups: (readonly UdpSocket[])[] = [];
  /** Of what is sent. */
  #mark: number;

  constructor(
    settings: TunnelSettings,
    { libc, plane, engine, logger, description }: BuilderParts,
  ) {
    this.#libc = libc;
    this.#plane = plane;
    this.#engine = engine;
    this.#settings = settings;
    this.#logger = logger;
    this.description = description;
    this.#mark = settings.sockets?.mark ?? 0;
  }

  openDevice(name: string | undefined): DeviceHandle {
    const { deviceType: type, routing, senderIds } = this.#settings;
    const vnetHeader = this.#vnetHeader;
    const namespace = openNamespace(this.#libc, this.#settings, this.#opened);
    const options = name === undefined
      ? { type, vnetHeader, namespace }
      : { type, name, vnetHeader, namespace };
    this.#crew = routing
      ? crewOf(this.#plane.workers, senderIds.length)
      : undefined;
    this.#device = this.#opened.use(
      this.#openShared(options) ?? openDevice(this.#libc, options),
    );
    return this.#device;
  }

  get senders(): number {
    return this.#crew?.readers ?? 1;
  }

  bind(addresses: readonly IpAddress[], port: number): readonly Endpoint[] {
    return addresses.map((given) => {
      const address = unmapped(given);
      return { address, port: this.#bind(address, this.#portFor(port)) };
    });
  }

  bindToAll(family: FamilyChoice, port: number): readonly Endpoint[] {
    if (family === "4") return this.bind([ANY_IPV4], port);
    if (family === "6") return this.bind([ANY_IPV6], port);
    const bound = this.bind([ANY_IPV4], port);
    try {
      return [...bound, ...this.bind([ANY_IPV6], port)];
    } catch (error) {
      if (isWithoutIpv6(error)) return bound;
      throw error;
    }
  }

  useClasses({ ecn }: { readonly ecn: boolean }): void {
    if (ecn === this.#tellsClasses) return;
    this.#tellsClasses = ecn;
    for (const socket of this.#groups.flat()) socket.tellClasses(ecn);
  }

  setMark(mark: number): void {
    for (const socket of this.#groups.flat()) socket.setMark(mark);
    this.#paths?.setMark(mark);
    this.#mark = mark;
  }

  checkMark(): void {
    // The kernel wants the capability for the mark that they have as well.
    for (const socket of this.#groups.flat()) socket.setMark(this.#mark);
  }

  async start(setup: PlaneSetup, stop?: AbortSignal): Promise<RunningPlane> {
    const plane = this.#plane;
    const { moved, refused } = setup;
    const starting = plane.start(this.#optionsFor(setup), {
      logger: this.#logger,
      moved: (mux) => {
        this.#paths?.lookAt(mux);
        moved(mux);
      },
      refused,
    });
    const abort = () => plane.stop();
    stop?.addEventListener("abort", abort);
    if (stop?.aborted) abort();
    try {
      await starting;
    } finally {
      stop?.removeEventListener("abort", abort);
    }
    const finished = plane.finished();
    const paths = this.#watchPaths(setup, finished);
    this.#paths = paths;
    const drops = this.#opened.use(
      new KernelDrops({
        sockets: this.#groups.flat(),
        device: this.#openedDevice,
      }),
    );
    return {
      finished,
      prepare: (mux) => {
        paths.lookAt(mux);
        return Promise.resolve();
      },
      dropRetired: () => plane.dropRetired(),
      sendDue: () => plane.sendDue(),
      isPortClosed: (mux) => paths.isPortClosed(mux),
      counters: () => drops.addTo(paths.addTo(plane.counters())),
      rounds: () => plane.rounds(),
      beatTo: (socket) => plane.beatTo(socket),
      stop: () => {
        plane.stop();
        return finished.catch(() => {});
      },
    };
  }

  [Symbol.dispose](): void {
    this.#plane.stop();
    this.#opened.dispose();
  }

  #watchPaths(
    { table, live = new LiveSettings() }: PlaneSetup,
    until: Promise<void>,
  ): WatchedPaths {
    const sockets = this.#groups.flatMap(([first]) => first ?? []);
    return new WatchedPaths({
      ...{ libc: this.#libc, table, live, logger: this.#logger },
      device: this.#openedDevice,
      locals: sockets.map(({ local }) => local),
      way: this.#settings.sockets,
      namespace: this.#settings.namespace,
    }, until);
  }

  get #openedDevice(): TunTapDevice {
    if (this.#device !== undefined) return this.#device;
    throw new Error("Cannot start without a device");
  }

  // A device that is there keeps its kind, and may serve one reader only.
  #openShared(
    options: Parameters<typeof openSharedDevice>[1],
  ): TunTapDevice | undefined {
    const crew = this.#crew;
    if (crew === undefined) return undefined;
    const { readers, receivers: writers } = crew;
    try {
      const counts = { readers, writers };
      const device = openSharedDevice(this.#libc, options, counts);
      if (readers < writers) {
        this.#logger.notice(
          "one worker carries the way out, as each needs a sender id of its " +
            "own: --sender-id takes a range",
        );
      }
      return device;
    } catch (error) {
      const isOther = error instanceof TunTapError &&
        error.code === "wrong-kind" && options.name !== undefined;
      if (!isOther) throw error;
      this.#crew = undefined;
      const device = openDevice(this.#libc, options);
      this.#logger.warning(
        `the device '${device.name}' has one queue, for one or two workers: ` +
          "remove it, or make it with 'ip tuntap add ... multi_queue'",
      );
      return device;
    }
  }

  /** @returns The port */
  #bind(address: IpAddress, port: number): number {
    const local = {
      address: address.bytes,
      port,
      scope: Number(address.zone ?? 0),
    };
    const receivers = this.#crew?.receivers ?? 1;
    try {
      const way = this.#wayFrom(address);
      const group = openUdpGroup(this.#libc, local, receivers, MUX_AT, way);
      for (const socket of group) this.#opened.defer(() => socket.close());
      const { mtuDiscovery = "no" } = this.#settings;
      for (const socket of group) {
        socket.resizeBuffers(SOCKET_BUFFERS);
        if (mtuDiscovery !== "no") socket.discoverMtu(mtuDiscovery);
      }
      this.#groups.push(group);
      return group[0]?.local.port ?? port;
    } catch (error) {
      throw new BindError({ address, port }, error);
    }
  }

  /** Those at all addresses send from each address that somebody sends to. */
  #wayFrom({ bytes }: IpAddress): SocketWay {
    const { anycast = [], sockets } = this.#settings;
    const isAnywhere = bytes.every((byte) => byte === 0);
    const isFree = anycast.some((address) =>
      isAnywhere ? address.length === bytes.length : sameBytes(address, bytes)
    );
    return { ...sockets, isFree };
  }

  // With port 0 all sockets are to have the port that the first one got.
  #portFor(port: number): number {
    return port === 0 ? this.#groups[0]?.[0]?.local.port ?? 0 : port;
  }

  #optionsFor(
    { table, routes, accepted, floors, live }: PlaneSetup,
  ): NativeOptions {
    const device = this.#openedDevice;
    const offloads = this.#negotiate(device);
    this.#logger.info(`offloads: ${[...offloads].join(", ") || "none"}`);
    const coalesces = offloads.has("coalesce");
    const { send, receiveFrom } = this.#socketsOf(0);
    return {
      settings: this.#settings,
      engine: this.#engine,
      connections: table.shared,
      routes: routes?.shared,
      accepted,
      floors: floors?.shared,
      live: live?.shared,
      device: device.fd,
      sockets: send,
      receiveFrom,
      vnetHeader: this.#vnetHeader,
      gso: offloads.has("gso"),
      gro: offloads.has("gro"),
      locals: this.#tellLocalAddresses(),
      coalesce: { tcp: coalesces, udp: coalesces && offloads.has("uso") },
      warmUpRounds: WARM_UP_ROUNDS,
      crew: this.#members(device, table),
    };
  }

  #members(
    { queues }: TunTapDevice,
    table: ConnectionTable,
  ): readonly CrewMember[] | undefined {
    const crew = this.#crew;
    if (crew === undefined) return undefined;
    const sockets = Array.from(
      { length: crew.receivers },
      (_, k) => this.#socketsOf(k),
    );
    return membersOf(crew, this.#settings, queues, sockets, table);
  }

  get #vnetHeader(): boolean {
    const { offloads } = this.#settings;
    return offloads.has("tso") || offloads.has("uso") ||
      offloads.has("coalesce");
  }

  #negotiate(device: TunTapDevice): ReadonlySet<OffloadName> {
    const { offloads: wanted } = this.#settings;
    const given = new Set<OffloadName>();
    if (this.#vnetHeader) {
      const offloads = device.negotiateOffloads(
        Offload.CSUM | (wanted.has("tso") ? TCP_OFFLOADS : 0) |
          (wanted.has("uso") ? UDP_OFFLOADS : 0),
      );
      if ((offloads & TCP_OFFLOADS) !== 0) given.add("tso");
      if ((offloads & UDP_OFFLOADS) !== 0) given.add("uso");
      if (wanted.has("coalesce")) given.add("coalesce");
    }
    const sockets = this.#groups.flat();
    if (wanted.has("gso") && sockets.every((s) => s.supportsGso())) {
      given.add("gso");
    }
    if (wanted.has("gro") && sockets.every((s) => s.enableGro())) {
      given.add("gro");
    }
    return given;
  }

  /** What has one address answers from there. */
  #tellLocalAddresses(): boolean {
    const sockets = this.#groups.flat().filter((socket) => socket.isAnywhere);
    for (const socket of sockets) socket.tellLocalAddresses();
    return sockets.length > 0;
  }

  /** @param place In the group of each address */
  #socketsOf(place: number): WorkerSockets {
    const sockets = this.#groups.flatMap((group) => group[place] ?? []);
    const sender = (addressBytes: 4 | 16) =>
      sockets.find(({ local }) => local.address.length === addressBytes)?.fd;
    return {
      send: { ipv4: sender(4), ipv6: sender(16) },
      receiveFrom: sockets.map(({ fd }) => fd),
    };
  }
}

function isWithoutIpv6(error: unknown): boolean {
  return error instanceof BindError &&
    (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL");
}
