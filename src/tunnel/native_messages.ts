/**
 * What the main thread and the workers of the native plane say to each other.
 *
 * @module
 */
import type { LevelName } from "../log/level.ts";
import type { DeviceType } from "../satp/payload.ts";
import type { SatpParameters } from "../satp/params.ts";
import type { DeviceReader } from "./device_turn.ts";
import type { CoalesceOptions } from "./inbound_pump.ts";
import type { SendSockets } from "./gso_sender.ts";

/** Engines that answer at once, as a worker needs it. */
export type NativeEngineName = "ipsec-mb" | "openssl" | "builtin";

/**
 * What a worker carries: all there is, or what comes in and, as long as that is
 * little, what goes out, or what goes out when that is much.
 */
export type WorkerRole = "all" | DeviceReader;

/** Everything a worker is to know; it begins to carry when it has it. */
export interface NativeSetup {
  readonly role: WorkerRole;
  readonly engine: NativeEngineName;
  readonly params: SatpParameters;
  readonly deviceType: DeviceType;
  /** The sender ids, one after the other: 1 to 256. */
  readonly senderIds: readonly number[];
  /** Whether a known endpoint of a peer stays, whoever is heard. */
  readonly fixedRemote: boolean;
  /** The own mux, for packets where there is no routing. */
  readonly mux: number;
  /** Memory of the connection table. */
  readonly connections: SharedArrayBuffer;
  /** Memory of the routing table; without one there is nothing to choose. */
  readonly routes: SharedArrayBuffer | undefined;
  /** Memory of the plane's counters of this worker. */
  readonly counters: SharedArrayBuffer;
  /** One word: not 0 when everything is to stop. */
  readonly stop: SharedArrayBuffer;
  /** Memory of the {@link DeviceTurn} that two workers share. */
  readonly turn: SharedArrayBuffer;
  /** File descriptor of this worker's bell. */
  readonly bell: number;
  /** File descriptor of the other worker's bell, or of the own one. */
  readonly otherBell: number;
  /** File descriptor of the device. */
  readonly device: number;
  readonly sockets: SendSockets;
  readonly receiveFrom: readonly number[];
  readonly vnetHeader: boolean;
  readonly gso: boolean;
  readonly gro: boolean;
  readonly coalesce: CoalesceOptions;
  /** How often packets are rehearsed before the first real one. */
  readonly rehearsalRounds: number;
}

/** What a worker says. */
export type WorkerMessage =
  /** The module is there; a setup can be sent. */
  | { readonly kind: "loaded" }
  /** Packets are being carried. */
  | { readonly kind: "ready" }
  /** The peer of a connection was heard from another endpoint. */
  | { readonly kind: "moved"; readonly mux: number }
  | { readonly kind: "log"; readonly level: LevelName; readonly text: string }
  /** It has stopped because it was told to. */
  | { readonly kind: "stopped" }
  /** It cannot go on. */
  | { readonly kind: "failed"; readonly reason: string };
