// MSS of TCP connections that go through the tunnel: lowered to what fits into
// one datagram of the path, both of those that begin here and of those that
// begin behind the peer. What its sender learns from it is how long segments
// may be that come towards it; paths are taken to be alike both ways.
import { ipAt } from "../offload/ethernet.ts";
import {
  IPV4_TCP_BYTES,
  IPV6_TCP_BYTES,
  lowerMss,
  NO_SYN,
  synAt,
} from "../offload/mss.ts";
import type { DeviceType } from "../satp/header.ts";
import type { Connection } from "./connection.ts";
import { count, PlaneCounter } from "./counters.ts";
import type { LiveSettings } from "./live_settings.ts";
import { MSS_RANGE } from "./settings.ts";

const { least: LEAST_MSS } = MSS_RANGE;

interface SynClampParts {
  readonly live: LiveSettings;
  readonly counters: Float64Array;
}

export class SynClamp {
  readonly #live: LiveSettings;
  readonly #isTap: boolean;
  readonly #overhead: number;
  readonly #counters: Float64Array;
  #bound = 0;

  /** @param overhead Bytes of a datagram in front of and behind the packet */
  constructor(
    { live, counters }: SynClampParts,
    deviceType: DeviceType,
    overhead: number,
  ) {
    this.#live = live;
    this.#isTap = deviceType === "tap";
    this.#overhead = overhead;
    this.#counters = counters;
  }

  /** To be called for each batch: what is the same for all of it is read. */
  begin(): void {
    this.#bound = this.#live.mssBound;
  }

  /** Changes a packet that is a SYN, on either way, if it asks for too much. */
  look(memory: Uint8Array, at: number, size: number, to: Connection): void {
    if (this.#bound === 0) return;
    const end = at + size;
    const ip = this.#isTap ? ipAt(memory, at, end) : at;
    const tcp = synAt(memory, ip, end);
    if (tcp === NO_SYN) return;
    const headers = (memory[ip] ?? 0) >>> 4 === 4
      ? IPV4_TCP_BYTES
      : IPV6_TCP_BYTES;
    const fits = this.#longest(to, ip - at) - headers;
    const most = Math.max(LEAST_MSS, Math.min(fits, this.#bound));
    if (!lowerMss(memory, tcp, most)) return;
    count(this.#counters, PlaneCounter.MSS_LOWERED);
  }

  /** IP packets as long as this pass in one piece. */
  #longest({ pathRoom }: Connection, link: number): number {
    const room = pathRoom - this.#overhead - link;
    const { deviceMtu } = this.#live;
    return deviceMtu === 0 ? room : Math.min(room, deviceMtu);
  }
}
