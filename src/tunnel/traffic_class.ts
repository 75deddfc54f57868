// Class of traffic of datagrams: that of the packets inside, or a fixed one.
// DSCP says how they want to be treated (RFC 2983, uniform model on the way in
// to the tunnel, pipe model on the way out), ECN how congested the path is (RFC
// 6040, normal mode).
import { ipAt, saysIp } from "../offload/ethernet.ts";
import {
  combinedEcn,
  DROP,
  ECN_MASK,
  NO_CLASS,
  setEcn,
  trafficClass,
} from "../offload/traffic_class.ts";
import type { DeviceType } from "../satp/header.ts";
import { DSCP_COPY, DSCP_OFF, type LiveSettings } from "./live_settings.ts";

/** Of what goes out. */
export class OuterClass {
  readonly #live: LiveSettings;
  readonly #isTap: boolean;
  /** Bits of the packet inside that are copied. */
  #mask = 0;
  #fixed = 0;

  constructor(live: LiveSettings, deviceType: DeviceType) {
    this.#live = live;
    this.#isTap = deviceType === "tap";
  }

  /** To be called for each batch: what is the same for all of it is read. */
  begin(): void {
    const { dscpCode, ecn } = this.#live;
    const copies = dscpCode === DSCP_COPY;
    this.#mask = (copies ? 0xff & ~ECN_MASK : 0) | (ecn ? ECN_MASK : 0);
    this.#fixed = copies || dscpCode === DSCP_OFF ? 0 : dscpCode << 2;
  }

  /** Of datagrams that hold no packet. */
  get fixed(): number {
    return this.#fixed;
  }

  of(memory: Uint8Array, at: number, size: number): number {
    if (this.#mask === 0) return this.#fixed;
    const end = at + size;
    const ip = this.#isTap ? ipAt(memory, at, end) : at;
    const inner = this.#isTap && !saysIp(memory, ip)
      ? NO_CLASS
      : trafficClass(memory, ip, end);
    return this.#fixed | (inner === NO_CLASS ? 0 : inner & this.#mask);
  }
}

/** Of what has come in. */
export class InnerEcn {
  readonly #live: LiveSettings;
  readonly #isTap: boolean;
  #isOn = false;

  constructor(live: LiveSettings, deviceType: DeviceType) {
    this.#live = live;
    this.#isTap = deviceType === "tap";
  }

  /** As of {@link OuterClass}. */
  begin(): void {
    this.#isOn = this.#live.ecn;
  }

  /**
   * Tells a packet what its datagram met.
   *
   * @param outer Class of the datagram
   * @returns false if it is to be dropped instead
   */
  takes(
    memory: Uint8Array,
    at: number,
    size: number,
    outer: number,
  ): boolean {
    if (!this.#isOn || (outer & ECN_MASK) === 0) return true;
    const end = at + size;
    const ip = this.#isTap ? ipAt(memory, at, end) : at;
    if (this.#isTap && !saysIp(memory, ip)) return true;
    const inside = trafficClass(memory, ip, end);
    if (inside === NO_CLASS) return true;
    const inner = inside & ECN_MASK;
    const combined = combinedEcn(inner, outer & ECN_MASK);
    if (combined === DROP) return false;
    if (combined !== inner) setEcn(memory, ip, combined);
    return true;
  }
}
