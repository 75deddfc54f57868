/**
 * What the tests of the data plane ask of a plane, whichever it is.
 *
 * @module
 */
import type { RouteTable } from "../../src/route/table.ts";
import type { Role, SatpParameters } from "../../src/satp/params.ts";
import type { DeviceType } from "../../src/satp/header.ts";
import type { MasterSecrets } from "../../src/satp/secrets.ts";
import type {
  ConnectionKeys,
  ConnectionTable,
} from "../../src/tunnel/connection_table.ts";
import {
  ConnectionCounter,
  PLANE_COUNTER_INFOS,
} from "../../src/tunnel/counters.ts";
import type { LiveSettings } from "../../src/tunnel/live_settings.ts";
import type { MtuDiscovery } from "../../src/tunnel/settings.ts";
import type { RefusedDatagram } from "../../src/tunnel/refused_samples.ts";

/** Hosts that talk to a plane. `away` is of IPv6 where the system has it. */
export type PeerName = "home" | "away" | "attacker";

/** How a plane and its first connection are set up. */
export interface PlaneOptions {
  readonly params: SatpParameters;
  readonly role: Role;
  readonly secrets: MasterSecrets;
  readonly mux?: number;
  readonly senderIds?: readonly number[];
  readonly allowWrap?: boolean;
  readonly windowSize?: number;
  readonly roaming?: boolean;
  /** Without them there is one connection, and nothing to choose or to filter. */
  readonly routes?: RouteTable;
  readonly anySource?: boolean;
  readonly deviceType?: DeviceType;
  readonly mtuDiscovery?: MtuDiscovery;
  /** Without them all of them are off. */
  readonly live?: LiveSettings;
  /** Without it the peer is auto-detected. */
  readonly remote?: PeerName;
}

/** A datagram that has reached a peer. */
export interface SentDatagram {
  readonly datagram: Uint8Array;
  readonly to: PeerName;
}

/** A running plane, with its device and its peers in the test's hands. */
export interface PlaneUnderTest extends AsyncDisposable {
  readonly table: ConnectionTable;
  /** Muxes of the peers that were heard from another endpoint. */
  readonly moved: readonly number[];
  /** Refused datagrams that the table was asked for. */
  readonly refused: readonly RefusedDatagram[];
  /** Adds a connection. */
  connect(mux: number, keys: ConnectionKeys, remote?: PeerName): Promise<void>;
  /** Has the keys of a connection ready before a packet needs them. */
  prepare(mux: number): Promise<void>;
  /** Lets datagrams arrive; returns the packets that reach the device. */
  receive(
    datagrams: readonly Uint8Array[],
    from: PeerName,
  ): Promise<Uint8Array[]>;
  /** Lets the device hand over packets; returns the datagrams that are sent. */
  send(packets: readonly Uint8Array[]): Promise<SentDatagram[]>;
  /** Has it send to those that are due in the table. */
  sendDue(): void;
  /** Lets datagrams arrive, and does not wait for what becomes of them. */
  inject(datagrams: readonly Uint8Array[], from: PeerName): void;
  /** Lets the device hand over packets as long as it has room, likewise. */
  offer(packets: readonly Uint8Array[]): void;
  /** Packets that have reached the device, and datagrams that were sent. */
  outcome(): {
    readonly packets: readonly Uint8Array[];
    readonly sent: readonly SentDatagram[];
  };
  /** The endpoint on record. */
  remote(mux?: number): PeerName | undefined;
  /** A counter of a connection; without a mux of the first one. */
  connectionCounter(index: number, mux?: number): number;
  /** A counter of the plane. */
  planeCounter(index: number): number;
  /**
   * Stops the plane.
   *
   * @returns What it has logged, with the peers' names for their endpoints
   */
  stop(): Promise<readonly string[]>;
}

/** Starts one kind of plane. */
export interface PlaneRig {
  readonly name: string;
  /** Why it cannot run here, or null if it can. */
  readonly missing: string | null;
  /** Whether a library stays open as long as the process does. */
  readonly keepsLibrary: boolean;
  start(options: PlaneOptions): Promise<PlaneUnderTest>;
}

/**
 * How many packets and datagrams a plane is done with: each moves exactly one
 * counter, besides those of bytes.
 */
export function handledPackets(
  connections: Iterable<Float64Array>,
  plane: Float64Array,
): number {
  const { BYTES_IN, BYTES_OUT } = ConnectionCounter;
  let sum = 0;
  for (const { index, isLoss } of PLANE_COUNTER_INFOS) {
    if (isLoss === true) sum += plane[index] ?? 0;
  }
  for (const counters of connections) {
    counters.forEach((n, index) => {
      if (index !== BYTES_IN && index !== BYTES_OUT) sum += n;
    });
  }
  return sum;
}
