// Construction of the portable plane.
import type { Libc } from "../../../ffi/libc.ts";
import { SystemError } from "../../../ffi/errno.ts";
import { interfaceName } from "../../../ffi/net/interface_name.ts";
import { UdpDrops } from "../../../ffi/net/udp_drops.ts";
import type { TunTapDevice } from "../../../ffi/tuntap/device.ts";
import { openDevice } from "../../../ffi/tuntap/open_device.ts";
import type { Logger } from "../../log/logger.ts";
import type { SocketAddress } from "../../../ffi/net/sockaddr.ts";
import { ANY_IPV4, type IpAddress } from "../../net/address.ts";
import type { Endpoint } from "../../net/endpoint.ts";
import type { FamilyChoice } from "../../net/resolver.ts";
import { TOO_BIG_BYTES } from "../../offload/too_big.ts";
import type { RouteTable } from "../../route/table.ts";
import type { CryptoEngine } from "../../satp/engine.ts";
import type { SatpParameters } from "../../satp/params.ts";
import { openNamespace } from "../namespace.ts";
import { Connections } from "../connection.ts";
import { PLANE_COUNTERS } from "../counters.ts";
import { bindUdp, bindUdpToAll, type DenoUdpSocket } from "./deno_udp.ts";
import { KernelDrops } from "../kernel_drops.ts";
import { LiveSettings } from "../live_settings.ts";
import type {
  DeviceHandle,
  PlaneBuilder,
  PlaneSetup,
  RunningPlane,
} from "../plane.ts";
import { FLUSH_MS } from "../../log/rate_limited_log.ts";
import { PlaneLog } from "../plane_log.ts";
import { PacketRouter } from "../packet_router.ts";
import { type BatchMaker, type PortableParts, PortablePlane } from "./plane.ts";
import { RefusedSamples } from "../refused_samples.ts";
import { WatchedPaths, type WatchedPathsOptions } from "../watched_paths.ts";
import type { AnswerPlace } from "../too_big.ts";
import type { PacketDevice } from "./edges.ts";
import { boundedReplayMemory, openAcceptedMemory } from "../replay_bound.ts";
import type { DscpChoice, SocketChoices, TunnelSettings } from "../settings.ts";
import { sourceFilterOf } from "../source_filter.ts";

export interface OpenedEngine {
  readonly engine: CryptoEngine;
  readonly newBatch: BatchMaker;
}

export type EngineOpener = (params: SatpParameters) => OpenedEngine;

interface BuilderParts {
  readonly libc: Libc;
  readonly openEngine: EngineOpener;
  /** Milliseconds since 1970, by a clock that never goes back. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly description: string;
}

export class PortableBuilder implements PlaneBuilder {
  readonly description: string;
  readonly senders = 1;
  readonly #libc: Libc;
  readonly #openEngine: EngineOpener;
  readonly #now: () => number;
  readonly #settings: TunnelSettings;
  readonly #logger: Logger;
  readonly #opened = new DisposableStack();
  #device: TunTapDevice | undefined;
  #sockets: readonly DenoUdpSocket[] = [];

  constructor(
    settings: TunnelSettings,
    { libc, openEngine, now, logger, description }: BuilderParts,
  ) {
    if (settings.sockets) refuseChoices(settings.sockets);
    this.#libc = libc;
    this.#openEngine = openEngine;
    this.#now = now;
    this.#settings = settings;
    this.#logger = logger;
    this.description = description;
  }

  openDevice(name: string | undefined): DeviceHandle {
    const { deviceType: type } = this.#settings;
    const namespace = openNamespace(this.#libc, this.#settings, this.#opened);
    const options = name === undefined
      ? { type, namespace }
      : { type, name, namespace };
    this.#device = this.#opened.use(openDevice(this.#libc, options));
    return this.#device;
  }

  bind(addresses: readonly IpAddress[], port: number): readonly Endpoint[] {
    return this.#own(bindUdp(addresses, port));
  }

  bindToAll(family: FamilyChoice, port: number): readonly Endpoint[] {
    return this.#own([bindUdpToAll(family, port)]);
  }

  /** Deno's sockets neither set nor tell them. */
  useClasses(
    { dscp, ecn }: { readonly dscp: DscpChoice; readonly ecn: boolean },
  ): void {
    const option = dscp === "off" ? ecn && "--ecn" : "--dscp";
    if (!option) return;
    this.#logger.warning(
      `${option} has no effect on the portable data plane: it needs the ` +
        "native one",
    );
  }

  setMark(mark: number): void {
    this.checkMark(mark);
  }

  checkMark(mark: number): void {
    refuseChoices({ mark, device: undefined });
  }

  start(setup: PlaneSetup): Promise<RunningPlane> {
    const device = this.#device;
    if (device === undefined) throw new Error("Cannot start without a device");
    const { table, live = new LiveSettings() } = setup;
    const { engine, newBatch } = this.#openEngine(this.#settings.params);
    const moved = (mux: number) => {
      paths.lookAt(mux);
      setup.moved(mux);
    };
    const parts = {
      ...this.#partsOf({ ...setup, live, moved }, engine),
      device,
      sockets: this.#sockets,
    };
    const { connections } = parts;
    const plane = new PortablePlane(parts, {
      ...this.#choicesFor(setup.routes, connections),
      newBatch,
      answers: answerPlace(device, this.#now),
    });
    let stopped = false;
    // In the middle of a batch a loop meets the closed device as an error.
    const finished = plane.run().catch((error) => {
      if (!stopped) throw error;
    });
    const paths = this.#watchPaths({ table, live, device }, finished);
    const sockets = this.#openDrops();
    const drops = this.#opened.use(new KernelDrops({ sockets, device }));
    return Promise.resolve({
      finished,
      prepare: (mux) => {
        paths.lookAt(mux);
        return connections.load(mux);
      },
      dropRetired: inOneGo(() => connections.dropRetired()),
      sendDue: () => void plane.sendDue().catch(() => {}),
      isPortClosed: (mux) => paths.isPortClosed(mux),
      counters: () => drops.addTo(paths.addTo(parts.counters.slice())),
      rounds: () => [],
      // The main thread is the one that carries.
      beatTo() {},
      stop: () => {
        stopped = true;
        this.#opened.dispose();
        return finished.catch(() => {});
      },
    });
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  #watchPaths(
    parts: Pick<WatchedPathsOptions, "table" | "live" | "device">,
    finished: Promise<void>,
  ): WatchedPaths {
    return new WatchedPaths({
      ...parts,
      ...{ libc: this.#libc, logger: this.#logger, way: undefined },
      locals: this.#sockets.flatMap(({ bound }) => bound.flatMap(localsOf)),
      namespace: this.#settings.namespace,
    }, finished);
  }

  /** Deno's sockets do not tell; the kernel lists them for everybody. */
  #openDrops(): readonly UdpDrops[] {
    const bound = this.#sockets.map(({ bound }) => bound.at(-1));
    try {
      return bound.filter((one) => one !== undefined)
        .map(({ address: { bytes: address }, port }) =>
          this.#opened.use(new UdpDrops(this.#libc, { address, port }))
        );
    } catch (error) {
      // Without it less is known.
      if (error instanceof SystemError) return [];
      throw error;
    }
  }

  #partsOf(
    { table, accepted, floors, live, moved, refused }: PlaneSetup & {
      readonly live: LiveSettings;
    },
    engine: CryptoEngine,
  ): Omit<PortableParts, "device" | "sockets"> {
    const log = this.#openLog();
    const counters = new Float64Array(PLANE_COUNTERS);
    const memory = boundedReplayMemory(counters, log);
    const kept = accepted && openAcceptedMemory(accepted, log);
    return {
      ...{ engine, counters, live, log, moved },
      connections: new Connections(
        table,
        engine,
        memory,
        kept,
        floors && { floors, share: { index: 0, of: 1 } },
      ),
      samples: refused && new RefusedSamples(table, refused),
      now: this.#now,
    };
  }

  #openLog(): PlaneLog {
    const log = new PlaneLog(
      this.#logger,
      this.#now,
      this.#settings,
      (index) => interfaceName(this.#libc, index),
    );
    const flushing = setInterval(() => log.flush(), FLUSH_MS);
    this.#opened.defer(() => clearInterval(flushing));
    this.#opened.defer(() => log.flush());
    return log;
  }

  #choicesFor(routes: RouteTable | undefined, connections: Connections) {
    const { allowWrap, deviceType, mtuDiscovery, mux, params } = this.#settings;
    const { roaming, senderIds } = this.#settings;
    return {
      ...{ allowWrap, deviceType, mtuDiscovery, params, roaming, senderIds },
      router: new PacketRouter(connections, mux, routes),
      filter: sourceFilterOf(this.#settings, routes),
    };
  }

  #own(sockets: readonly DenoUdpSocket[]): readonly Endpoint[] {
    for (const socket of sockets) this.#opened.defer(() => socket.close());
    this.#sockets = [...this.#sockets, ...sockets];
    return sockets.flatMap((socket) => socket.bound);
  }
}

/** Deno's sockets have neither, and to go without would go another way. */
function refuseChoices({ mark, device }: SocketChoices): void {
  const option = mark !== 0 ? "--mark" : device && "--bind-device";
  if (!option) return;
  throw new Error(
    `Cannot use ${option} on the portable data plane: it needs the native one`,
  );
}

/** The socket for all addresses of IPv6 takes those of IPv4 as well. */
function localsOf({ address: { bytes, zone } }: Endpoint): SocketAddress[] {
  const local = { address: bytes, port: 0, scope: Number(zone ?? 0) };
  const isForAll = bytes.every((byte) => byte === 0);
  return isForAll ? [local, { ...local, address: ANY_IPV4.bytes }] : [local];
}

function answerPlace(device: PacketDevice, now: () => number): AnswerPlace {
  const memory = new Uint8Array(TOO_BIG_BYTES);
  const deliver = (size: number) => void device.write(memory.subarray(0, size));
  return { memory, at: 0, now, deliver };
}

/** Whoever removes connections removes many: work that is done once for all. */
function inOneGo(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      work();
    });
  };
}
