// Construction of the native plane: device and sockets with their offloads.
import type { Libc } from "../../../ffi/libc.ts";
import { openDevice, type TunTapDevice } from "../../../ffi/tuntap/device.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { Offload } from "../../../ffi/tuntap/vnet.ts";
import type { Logger } from "../../log/logger.ts";
import { ANY_IPV4, ANY_IPV6, type IpAddress } from "../../net/address.ts";
import type { Endpoint } from "../../net/endpoint.ts";
import type { FamilyChoice } from "../../net/resolver.ts";
import { BindError } from "../bind_error.ts";
import type { NativeEngineName } from "./messages.ts";
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
 * The runtime has compiled then what carries single packets. It would do that
 * later, too, but then now and then a packet has to wait for a millisecond.
 */
const WARM_UP_ROUNDS = 8000;

export class NativeBuilder implements PlaneBuilder {
  readonly description: string;
  readonly #libc: Libc;
  readonly #plane: NativePlane;
  readonly #engine: NativeEngineName;
  readonly #settings: TunnelSettings;
  readonly #logger: Logger;
  readonly #opened = new DisposableStack();
  #device: TunTapDevice | undefined;
  readonly #sockets: UdpSocket[] = [];

  /** @param plane Workers that are loaded but not started */
  constructor(
    libc: Libc,
    plane: NativePlane,
    engine: NativeEngineName,
    settings: TunnelSettings,
    logger: Logger,
    description: string,
  ) {
    this.#libc = libc;
    this.#plane = plane;
    this.#engine = engine;
    this.#settings = settings;
    this.#logger = logger;
    this.description = description;
  }

  openDevice(name: string | undefined): DeviceHandle {
    const { deviceType: type } = this.#settings;
    const vnetHeader = this.#vnetHeader;
    this.#device = this.#opened.use(
      openDevice(
        this.#libc,
        name === undefined ? { type, vnetHeader } : { type, name, vnetHeader },
      ),
    );
    return this.#device;
  }

  bind(addresses: readonly IpAddress[], port: number): readonly Endpoint[] {
    return addresses.map((address) => {
      const socket = this.#bind({ address, port: this.#portFor(port) });
      return { address, port: socket.local.port };
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

  async start(setup: PlaneSetup, stop?: AbortSignal): Promise<RunningPlane> {
    const plane = this.#plane;
    const { moved } = setup;
    const starting = plane.start(this.#optionsFor(setup), {
      logger: this.#logger,
      moved,
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
    return {
      finished,
      prepare: () => Promise.resolve(),
      dropRetired: () => plane.dropRetired(),
      counters: () => plane.counters(),
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

  #bind(local: Endpoint): UdpSocket {
    const { address: { bytes: address, zone }, port } = local;
    const scope = Number(zone ?? 0);
    try {
      const socket = UdpSocket.open(this.#libc, { address, port, scope });
      this.#opened.defer(() => socket.close());
      socket.resizeBuffers(SOCKET_BUFFERS);
      this.#sockets.push(socket);
      return socket;
    } catch (error) {
      throw new BindError(local, error);
    }
  }

  // With port 0 all sockets are to have the port that the first one got.
  #portFor(port: number): number {
    return port === 0 ? this.#sockets[0]?.local.port ?? 0 : port;
  }

  #optionsFor({ table, routes }: PlaneSetup): NativeOptions {
    const device = this.#device;
    if (device === undefined) throw new Error("Cannot start without a device");
    const offloads = this.#negotiate(device);
    this.#logger.info(`offloads: ${[...offloads].join(", ") || "none"}`);
    const coalesces = offloads.has("coalesce");
    return {
      settings: this.#settings,
      engine: this.#engine,
      connections: table.shared,
      routes: routes?.shared,
      device: device.fd,
      sockets: {
        ipv4: this.#socketOf(4)?.fd,
        ipv6: this.#socketOf(16)?.fd,
      },
      receiveFrom: this.#sockets.map(({ fd }) => fd),
      vnetHeader: this.#vnetHeader,
      gso: offloads.has("gso"),
      gro: offloads.has("gro"),
      coalesce: { tcp: coalesces, udp: coalesces && offloads.has("uso") },
      warmUpRounds: WARM_UP_ROUNDS,
    };
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
    const sockets = this.#sockets;
    if (wanted.has("gso") && sockets.every((s) => s.supportsGso())) {
      given.add("gso");
    }
    if (wanted.has("gro") && sockets.every((s) => s.enableGro())) {
      given.add("gro");
    }
    return given;
  }

  #socketOf(addressBytes: 4 | 16): UdpSocket | undefined {
    return this.#sockets.find(({ local }) =>
      local.address.length === addressBytes
    );
  }
}

function isWithoutIpv6(error: unknown): boolean {
  return error instanceof BindError &&
    (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL");
}
