/**
 * Puts the portable plane together: any engine, and Deno's own sockets.
 *
 * @module
 */
import type { Libc } from "../../ffi/libc.ts";
import { openDevice, type TunTapDevice } from "../../ffi/tuntap_device.ts";
import type { IpAddress } from "../net/address.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { CryptoEngine } from "../satp/engine.ts";
import type { SatpParameters } from "../satp/params.ts";
import { Connections } from "../tunnel/connection.ts";
import { PLANE_COUNTERS } from "../tunnel/counters.ts";
import { bindUdp, bindUdpToAll } from "../tunnel/deno_udp.ts";
import { withMoves } from "../tunnel/inbound_events.ts";
import { PlaneLog } from "../tunnel/plane_log.ts";
import { PointToPoint } from "../tunnel/point_to_point.ts";
import { Routed } from "../tunnel/routed.ts";
import { type BatchMaker, PortablePlane } from "../tunnel/portable_plane.ts";
import type { DatagramSocket } from "../tunnel/seams.ts";
import type {
  DeviceHandle,
  PlaneBuilder,
  PlaneSetup,
  RunningPlane,
} from "./plane.ts";

/** An engine and the memory that it works on. */
export interface OpenedEngine {
  readonly engine: CryptoEngine;
  readonly newBatch: BatchMaker;
}

/** Opens the engine once the parameters are known. */
export type EngineOpener = (params: SatpParameters) => OpenedEngine;

/** {@link PlaneBuilder} of the portable plane. */
export class PortableBuilder implements PlaneBuilder {
  readonly description: string;
  readonly #libc: Libc;
  readonly #openEngine: EngineOpener;
  readonly #now: () => number;
  readonly #opened = new DisposableStack();
  #device: TunTapDevice | undefined;
  #sockets: readonly DatagramSocket[] = [];

  /** @param now A clock that never goes back, in milliseconds */
  constructor(
    libc: Libc,
    openEngine: EngineOpener,
    now: () => number,
    description: string,
  ) {
    this.#libc = libc;
    this.#openEngine = openEngine;
    this.#now = now;
    this.description = description;
  }

  openDevice(name: string | undefined, type: "tun" | "tap"): DeviceHandle {
    const options = name === undefined ? { type } : { type, name };
    this.#device = this.#opened.use(openDevice(this.#libc, options));
    return this.#device;
  }

  bind(addresses: readonly IpAddress[], port: number): void {
    this.#own(bindUdp(addresses, port));
  }

  bindToAll(family: FamilyChoice, port: number): readonly (4 | 6)[] {
    const sockets = this.#own(bindUdpToAll(family, port));
    const reached = ([4, 6] as const).filter((family) =>
      sockets.some((socket) => socket.reaches(family))
    );
    return reached;
  }

  start(
    { options, senderIds, table, routes, moved, logger }: PlaneSetup,
  ): Promise<RunningPlane> {
    const device = this.#device;
    if (device === undefined) throw new Error("Cannot start without a device");
    const { engine, newBatch } = this.#openEngine(options);
    const connections = new Connections(table, engine);
    const planeLog = new PlaneLog(logger, this.#now);
    const flushing = setInterval(() => planeLog.flushSometimes(), 1000);
    this.#opened.defer(() => clearInterval(flushing));
    this.#opened.defer(() => planeLog.flush());
    const shared = {
      connections,
      deviceType: options.device.type,
      counters: new Float64Array(PLANE_COUNTERS),
    };
    const plane = new PortablePlane({
      params: options,
      engine,
      newBatch,
      device,
      sockets: this.#sockets,
      outbound: {
        ...shared,
        chooser: routes === undefined
          ? new PointToPoint(connections, options.mux)
          : new Routed(connections, routes),
        senderIds,
        events: planeLog,
      },
      inbound: {
        ...shared,
        fixedRemote: options.fixedRemote,
        events: withMoves(planeLog, moved),
        now: this.#now,
      },
      noSocket: (to) => planeLog.noSocket(to),
    });
    let stopped = false;
    // In the middle of a batch a loop meets the closed device as an error.
    const finished = plane.run().catch((error) => {
      if (!stopped) throw error;
    });
    return Promise.resolve({
      finished,
      prepare: (mux) => connections.load(mux),
      counters: () => shared.counters.slice(),
      stop: () => {
        stopped = true;
        this.#opened.dispose();
      },
    });
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  #own(sockets: DatagramSocket[]): readonly DatagramSocket[] {
    for (const socket of sockets) this.#opened.defer(() => socket.close());
    this.#sockets = [...this.#sockets, ...sockets];
    return sockets;
  }
}
