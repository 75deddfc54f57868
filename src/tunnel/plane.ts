/**
 * A data plane as its owner sees it: each kind opens the device and the
 * sockets in its own way, and then carries packets.
 *
 * @module
 */
import type { IpAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { RouteTable } from "../route/table.ts";
import type { ConnectionTable } from "./connection_table.ts";

/** An open device. */
export interface DeviceHandle {
  /** As the kernel has it. */
  readonly name: string;
  /** In bytes, at present. */
  readonly mtu: number;
  /** Sets MTU and addresses and brings the link up or down. */
  configure(
    settings: {
      readonly addresses: readonly string[];
      readonly mtu: number;
      readonly up: boolean;
    },
  ): void;
}

/** Where packets may go, and who is told where their peers are. */
export interface PlaneSetup {
  readonly table: ConnectionTable;
  /** Where packets go; without it there is one peer, and nothing to choose. */
  readonly routes: RouteTable | undefined;
  /** Called when the peer of a connection is heard from another endpoint. */
  readonly moved: (mux: number) => void;
}

/** A plane that carries packets. */
export interface RunningPlane {
  /**
   * Resolves when the plane was stopped: device and sockets may be closed.
   *
   * Rejects when it cannot go on: the device is gone, a socket or a thread
   * failed.
   */
  readonly finished: Promise<void>;
  /** Has the keys of a connection ready before its first packet. */
  prepare(mux: number): Promise<void>;
  /** Has all threads wipe keys that are out of use, also those that rest. */
  dropRetired(): void;
  /** What the plane has counted so far, by the indexes of `PlaneCounter`. */
  counters(): Float64Array;
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
  /**
   * Binds some addresses of this host; with port 0 the system chooses one for
   * all of them.
   *
   * @returns What is bound, in the order of the addresses
   * @throws {BindError} if one of them cannot be bound
   */
  bind(addresses: readonly IpAddress[], port: number): readonly Endpoint[];
  /**
   * Binds every address of this host.
   *
   * @returns What is bound, one for each family
   * @throws {BindError} if the port is taken
   */
  bindToAll(family: FamilyChoice, port: number): readonly Endpoint[];
  /**
   * @param stop Stops the plane already while it starts
   * @throws if the plane cannot start
   */
  start(setup: PlaneSetup, stop?: AbortSignal): Promise<RunningPlane>;
}
