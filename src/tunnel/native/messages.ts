// Messages between the main thread and the workers of the native plane.
import type { LevelName } from "../../log/level.ts";
import type { LogFields } from "../../log/logger.ts";
import type { CoalescerOptions } from "../../offload/coalesce.ts";
import type { MuxShare } from "../../state/accepted_memory.ts";
import type { DeviceReader } from "./device_turn.ts";
import type { SendSockets } from "./gso_sender.ts";
import type { AcceptedPlace } from "../replay_bound.ts";
import type { RefusedDatagram } from "../refused_samples.ts";
import type { TunnelSettings } from "../settings.ts";

/** Engines that answer at once, as a worker needs it. */
export type NativeEngineName = "ipsec-mb" | "openssl" | "builtin";

/**
 * Both ways; one each, where the way in has the device while it is idle; or one
 * and no more.
 */
export type WorkerRole = "all" | DeviceReader | "receive" | "send";

/** What one of several workers by flow has for itself. */
interface WorkerShare extends MuxShare {
  /** Descriptor of the device for what comes in. */
  readonly writeTo: number;
  /** Of its connections; without them it counts in the table. */
  readonly counters: SharedArrayBuffer | undefined;
}

export interface BeatPlace {
  readonly memory: SharedArrayBuffer;
  /** Which worker of the plane this is, from 0. */
  readonly thread: number;
}

export interface NativeSetup {
  readonly role: WorkerRole;
  readonly settings: TunnelSettings;
  readonly engine: NativeEngineName;
  readonly connections: WebAssembly.Memory;
  /** Memory of the routing table; without one there is nothing to choose. */
  readonly routes: SharedArrayBuffer | undefined;
  /** Where it is kept which numbers were accepted, if it is. */
  readonly accepted: AcceptedPlace | undefined;
  /** Memory of {@link ReplayFloors}; without one there are no other members. */
  readonly floors?: SharedArrayBuffer | undefined;
  readonly counters: SharedArrayBuffer;
  /** Memory of {@link LiveSettings}; without one everything is off. */
  readonly live?: SharedArrayBuffer | undefined;
  /** Of {@link ThreadBeat}; without one it has none. */
  readonly beat?: BeatPlace | undefined;
  /** One word: not 0 when everything is to stop. */
  readonly stop: SharedArrayBuffer;
  readonly turn: SharedArrayBuffer;
  /** File descriptor of this worker's eventfd. */
  readonly wakeup: number;
  /** File descriptor of the other worker's eventfd, or of the own one. */
  readonly otherWakeup: number;
  readonly device: number;
  readonly sockets: SendSockets;
  readonly receiveFrom: readonly number[];
  /** Whether the device has a virtio header before each packet. */
  readonly vnetHeader: boolean;
  /** Whether the kernel is given messages of several datagrams. */
  readonly gso: boolean;
  /** Whether the kernel joins datagrams (UDP_GRO). */
  readonly gro: boolean;
  /** Whether sockets tell to which address of this host something came. */
  readonly locals: boolean;
  readonly coalesce: Omit<CoalescerOptions, "ethernet">;
  readonly warmUpRounds: number;
  /** Without one it serves all connections. */
  readonly share?: WorkerShare | undefined;
}

/** What a worker is sent. */
export interface WorkerSetup extends NativeSetup {
  /** One word: how often it has gone round, modulo 2^32. */
  readonly rounds: SharedArrayBuffer;
}

/** In what the workers of a plane differ. */
export type CrewMember =
  & Pick<NativeSetup, "role">
  & Partial<
    Pick<
      NativeSetup,
      "settings" | "device" | "sockets" | "receiveFrom" | "share"
    >
  >;

export type WorkerMessage =
  /** The module is there; a setup can be sent. */
  | { readonly kind: "loaded" }
  | { readonly kind: "ready" }
  /** The peer of a connection was heard from another endpoint. */
  | { readonly kind: "moved"; readonly mux: number }
  | { readonly kind: "refused"; readonly refused: RefusedDatagram }
  | {
    readonly kind: "log";
    readonly level: LevelName;
    readonly text: string;
    readonly fields: LogFields | undefined;
  }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string };
