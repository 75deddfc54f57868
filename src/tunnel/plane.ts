// Interface of the two data planes.
import type { DeviceRoutes } from "../../ffi/tuntap/device_routes.ts";
import type { LinkState } from "../../ffi/tuntap/link.ts";
import type { IpAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { RouteTable } from "../route/table.ts";
import type { ConnectionTable } from "./connection_table.ts";
import type { AcceptedPlace } from "./replay_bound.ts";
import type { LiveSettings } from "./live_settings.ts";
import type { ReplayFloors } from "./replay_floors.ts";
import type { DscpChoice } from "./settings.ts";
import type { RefusedDatagram } from "./refused_samples.ts";

export interface DeviceHandle {
  readonly name: string;
  readonly mtu: number;
  /** Does something, without a wait, in the network namespace that it is in. */
  inside<T>(work: () => T): T;
  /** Routes of the kernel to it. */
  openRoutes(): DeviceRoutes;
  /** @throws if it is gone */
  state(): LinkState;
  /**
   * Whether it is up, which is less work than all of its state.
   * @throws if it is gone
   */
  isRunning(): boolean;
  configure(
    settings: {
      readonly addresses: readonly string[];
      readonly mtu: number;
      readonly up: boolean;
    },
  ): void;
}

export interface PlaneSetup {
  readonly table: ConnectionTable;
  /** Where packets go; without it there is one peer, and nothing to choose. */
  readonly routes: RouteTable | undefined;
  /** Where it is kept which numbers were accepted, if it is. */
  readonly accepted: AcceptedPlace | undefined;
  /** What other members of a cluster have accepted. */
  readonly floors?: ReplayFloors | undefined;
  /** What may change meanwhile; without it everything is off. */
  readonly live?: LiveSettings | undefined;
  /** Called when the peer of a connection is heard from another endpoint. */
  readonly moved: (mux: number) => void;
  /** Gets the refused datagrams that the table is asked for. */
  readonly refused?: ((refused: RefusedDatagram) => void) | undefined;
}

/** What a thread of a plane sends as its beat: `t0` and so on. */
export function threadBeat(thread: number): string {
  return `t${thread}`;
}

/** @returns Which thread has sent this, or undefined if it is no beat of one */
export function threadOf(beat: string): number | undefined {
  const [, thread] = /^t(\d{1,4})$/.exec(beat) ?? [];
  return thread === undefined ? undefined : Number(thread);
}

export interface RunningPlane {
  /** Rejects if the device is gone, or a socket or a thread has failed. */
  readonly finished: Promise<void>;
  /** Has the keys of a connection ready before its first packet. */
  prepare(mux: number): Promise<void>;
  /** Has all threads wipe keys that are out of use, also those that rest. */
  dropRetired(): void;
  /** Sends a datagram without payload to those that are due in the table. */
  sendDue(): void;
  /**
   * Whether the host of a peer answers that nobody listens at its port; takes
   * ten seconds at most.
   */
  isPortClosed(mux: number): Promise<boolean>;
  /** What the plane has counted so far, by the indexes of `PlaneCounter`. */
  counters(): Float64Array;
  /**
   * How often each thread of its own has gone round, modulo 2^32: every ten
   * seconds (FLUSH_MS) at the least, also without packets.
   */
  rounds(): readonly number[];
  /**
   * Has each thread of its own send {@linkcode threadBeat} several times a
   * second from now on, as long as it goes round.
   * @param socket A descriptor that is open as long as the plane runs
   */
  beatTo(socket: number): void;
  /** Ends the carrying; resolves when it has ended, even by a failure. */
  stop(): Promise<void>;
}

/** A plane before it runs. Disposing of it closes device and sockets. */
export interface PlaneBuilder extends Disposable {
  /** Which plane and engine this is and why, for the log. */
  readonly description: string;
  /**
   * @param name Without one the kernel chooses
   * @throws {TunTapError} if there is no such device for us
   */
  openDevice(name: string | undefined): DeviceHandle;
  /** How many threads send, each under sender ids of its own, once it is open. */
  readonly senders: number;
  /**
   * With port 0 the system chooses one for all of them.
   *
   * @throws {BindError} if one of them cannot be bound
   */
  bind(addresses: readonly IpAddress[], port: number): readonly Endpoint[];
  /** @throws {BindError} if the port is taken */
  bindToAll(family: FamilyChoice, port: number): readonly Endpoint[];
  /**
   * The mark of all that is sent from now on, 0 for none.
   * @throws {SystemError} `EPERM` without CAP_NET_ADMIN
   */
  setMark(mark: number): void;
  /**
   * Changes nothing.
   * @throws as {@linkcode setMark} would
   */
  checkMark(mark: number): void;
  /**
   * Once it is bound: has sockets tell the class of what they receive, for marks
   * of congestion, as long as it is wanted, or says that they cannot.
   */
  useClasses(
    choice: { readonly dscp: DscpChoice; readonly ecn: boolean },
  ): void;
  /** @param stop Stops the plane already while it starts */
  start(setup: PlaneSetup, stop?: AbortSignal): Promise<RunningPlane>;
}
