/**
 * What the main thread and the workers of the native plane say to each other.
 *
 * @module
 */
import type { LevelName } from "../../log/level.ts";
import type { DeviceReader } from "./device_turn.ts";
import type { CoalesceOptions } from "./inbound_pump.ts";
import type { SendSockets } from "./gso_sender.ts";
import type { TunnelSettings } from "../settings.ts";

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
  readonly settings: TunnelSettings;
  /** The engine that was chosen. */
  readonly engine: NativeEngineName;
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
  /** File descriptor of this worker's eventfd. */
  readonly wakeup: number;
  /** File descriptor of the other worker's eventfd, or of the own one. */
  readonly otherWakeup: number;
  /** File descriptor of the device. */
  readonly device: number;
  readonly sockets: SendSockets;
  /** File descriptors of the sockets to receive from. */
  readonly receiveFrom: readonly number[];
  /** Whether the device has a virtio header before each packet. */
  readonly vnetHeader: boolean;
  /** Whether the kernel is given messages of several datagrams. */
  readonly gso: boolean;
  /** Whether the kernel joins datagrams (UDP_GRO). */
  readonly gro: boolean;
  readonly coalesce: CoalesceOptions;
  /** How long the warm-up before the first packet is. */
  readonly warmUpRounds: number;
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
