// Path MTUs of the connections, as the kernel knows them: of a device and a
// route, and of what routers have told about datagrams of ours, which it
// believes for ten minutes and within bounds. The main thread asks, since that
// is the same for both planes, and hands it to the threads in the table.
import { SOCKADDR_WORDS } from "../../ffi/net/sockaddr.ts";
import type { Logger } from "../log/logger.ts";
import { RateLimitedLog } from "../log/rate_limited_log.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { PlaneCounter } from "./counters.ts";
import type { LiveSettings } from "./live_settings.ts";
import { type DeviceInTheWay, LoopWatch } from "./loop_watch.ts";

/** At each look: of more connections, each is asked for less often. */
const CONNECTIONS_PER_LOOK = 64;

/** How often to look, in ms. */
export const LOOK_MS = 1000;

/**
 * Of all connections together: whoever guesses the ports of a datagram can tell
 * the kernel of another MTU, and many share an uplink.
 */
const LIMIT = { burst: 5, perSecond: 0.1 };
const LOOKS_PER_FLUSH = 10;

export interface PathMtuWatchOptions {
  readonly table: ConnectionTable;
  readonly live: LiveSettings;
  readonly device: { readonly mtu: number };
  readonly probes: readonly {
    mtu(words: Uint32Array, at: number): number;
  }[];
  readonly logger: Logger;
  /** Where routes may lead to the own device. */
  readonly inTheWay?: DeviceInTheWay | undefined;
}

export class PathMtuWatch {
  readonly #options: PathMtuWatchOptions;
  readonly #endpoint = new Uint32Array(SOCKADDR_WORDS);
  #muxes: readonly number[] = [];
  #next = 0;
  #lowered = 0;
  #looks = 0;
  readonly #log: RateLimitedLog;
  readonly #loops: LoopWatch | undefined;

  constructor(options: PathMtuWatchOptions) {
    this.#options = options;
    const { inTheWay, logger } = options;
    const now = () => this.#looks * LOOK_MS;
    this.#log = new RateLimitedLog(logger, LIMIT, now);
    this.#loops = inTheWay && new LoopWatch(inTheWay, this.#log);
  }

  /** Asks for the device, and for the next few connections. */
  look(): void {
    if (++this.#looks % LOOKS_PER_FLUSH === 0) this.#log.flush();
    this.#lookAtDevice();
    if (this.#next >= this.#muxes.length) {
      this.#muxes = this.#options.table.liveMuxes();
      this.#next = 0;
    }
    const end = Math.min(
      this.#next + CONNECTIONS_PER_LOOK,
      this.#muxes.length,
    );
    while (this.#next < end) this.lookAt(this.#muxes[this.#next++] ?? 0);
  }

  /** Asks at once for a connection whose endpoint is another. */
  lookAt(mux: number): void {
    const { table, probes } = this.#options;
    table.endpoints.copy(mux, this.#endpoint, 0);
    this.#loops?.lookAt(mux, this.#endpoint);
    let mtu = 0;
    for (let k = 0; k < probes.length && mtu === 0; k++) {
      mtu = probes[k]?.mtu(this.#endpoint, 0) ?? 0;
    }
    // Without a way there is nothing new.
    if (mtu === 0) return;
    const before = table.endpoints.setPathMtu(mux, mtu);
    if (before === mtu || before === 0) return;
    if (mtu < before) this.#lowered++;
    this.#log.write(
      "info",
      "path MTU",
      () =>
        `the path of connection ${mux} takes packets of ${mtu} bytes, ` +
        `before ${before}`,
    );
  }

  /** Adds what this has counted to the counters of a plane. */
  addTo(counters: Float64Array): Float64Array {
    const index = PlaneCounter.PATH_MTU_LOWERED;
    counters[index] = (counters[index] ?? 0) + this.#lowered;
    return counters;
  }

  #lookAtDevice(): void {
    const { live, device } = this.#options;
    try {
      live.deviceMtu = device.mtu;
    } catch {
      // It is gone, or elsewhere: then what was known is as good as anything.
    }
  }
}
