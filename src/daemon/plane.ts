/**
 * A data plane being put together: each kind opens the device and the sockets
 * in its own way, and then carries packets.
 *
 * @module
 */
import type { AnytunOptions } from "../config/anytun_options.ts";
import type { Logger } from "../log/logger.ts";
import type { IpAddress } from "../net/address.ts";
import type { FamilyChoice } from "../net/resolver.ts";
import type { RouteTable } from "../route/table.ts";
import type { ConnectionTable } from "../tunnel/connection_table.ts";

/** The device as far as the start needs it. */
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

/** What a running plane needs to know. */
export interface PlaneSetup {
  readonly options: AnytunOptions;
  /** Of the datagrams to send, one after the other: 1 to 256. */
  readonly senderIds: readonly number[];
  readonly table: ConnectionTable;
  /** Where packets go; without it there is one peer, and nothing to choose. */
  readonly routes: RouteTable | undefined;
  /** Called when the peer of a connection is heard from another endpoint. */
  readonly moved: (mux: number) => void;
  readonly logger: Logger;
}

/** A plane that carries packets. */
export interface RunningPlane {
  /**
   * Resolves when the plane was stopped.
   *
   * Rejects when it cannot go on: the device is gone, a socket or a thread
   * failed.
   */
  readonly finished: Promise<void>;
  /** Has the keys of a connection ready before its first packet. */
  prepare(mux: number): Promise<void>;
  /** What the plane has counted so far, by the indexes of `PlaneCounter`. */
  counters(): Float64Array;
  /** Ends the carrying. */
  stop(): void;
}

/** A plane before it runs. Disposing of it closes device and sockets. */
export interface PlaneBuilder extends Disposable {
  /** Which plane and engine this is and why, for the log. */
  readonly description: string;
  /** @throws with a text for people if the device cannot be had */
  openDevice(name: string | undefined, type: "tun" | "tap"): DeviceHandle;
  /** @throws if one of the addresses cannot be bound */
  bind(addresses: readonly IpAddress[], port: number): void;
  /**
   * Binds every local address.
   *
   * @returns The families that are bound
   * @throws if the port is taken
   */
  bindToAll(family: FamilyChoice, port: number): readonly (4 | 6)[];
  /** @throws if the plane cannot start */
  start(setup: PlaneSetup): Promise<RunningPlane>;
}
