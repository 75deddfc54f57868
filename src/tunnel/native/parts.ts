// Parts of a worker: made once, and handed whole to whatever carries packets.
import type { Libc } from "../../../ffi/libc.ts";
import type { Arena } from "../../../ffi/memory.ts";
import type { PacketPort } from "../../../ffi/tuntap/packet_port.ts";
import type { PacketMemory } from "../../offload/bytes.ts";
import type { SyncCryptoEngine } from "../../satp/engine.ts";
import type { Connections } from "../connection.ts";
import type { LiveSettings } from "../live_settings.ts";
import type { PlaneLog } from "../plane_log.ts";
import type { RefusedSamples } from "../refused_samples.ts";

export interface WorkerParts {
  readonly libc: Libc;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  readonly log: PlaneLog;
  /** Called with the mux of a connection whose peer was heard elsewhere. */
  readonly moved: (mux: number) => void;
  readonly arena: Arena;
  readonly engine: SyncCryptoEngine;
  readonly connections: Connections;
  readonly samples: RefusedSamples;
  /** The plane's counters that this worker writes. */
  readonly counters: Float64Array;
  readonly live: LiveSettings;
  readonly packets: PacketMemory;
  readonly port: PacketPort;
}
