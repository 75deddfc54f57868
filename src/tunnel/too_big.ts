// Answers to packets that are too long for the tunnel: their sender is told how
// long one may be.
import { TokenBucket } from "../log/token_bucket.ts";
import { ipAt } from "../offload/ethernet.ts";
import { MIN_IPV4_MTU, MIN_IPV6_MTU } from "../offload/fields.ts";
import { mayTellTooBig, writeTooBig } from "../offload/too_big.ts";
import type { DeviceType } from "../satp/header.ts";
import { count, PlaneCounter } from "./counters.ts";

/**
 * Answers at once, and in a second later on, of one thread: as many as Linux
 * gives (icmp_msgs_burst), and enough for each of many flows to learn it (RFC
 * 1812 section 4.3.2.8, RFC 4443 section 2.4 f).
 */
const ANSWERS = { burst: 50, perSecond: 200 };

/** Where answers are written, and how they reach the device. */
export interface AnswerPlace {
  readonly memory: Uint8Array;
  /** Of `TOO_BIG_BYTES`. */
  readonly at: number;
  /** @param size Of the packet at that place */
  deliver(size: number): void;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

export class TooBig {
  readonly #isTap: boolean;
  readonly #counters: Float64Array;
  readonly #place: AnswerPlace;
  readonly #bucket: TokenBucket;

  constructor(
    deviceType: DeviceType,
    counters: Float64Array,
    place: AnswerPlace,
  ) {
    this.#isTap = deviceType === "tap";
    this.#counters = counters;
    this.#place = place;
    this.#bucket = new TokenBucket(ANSWERS, place.now);
  }

  /**
   * Tells the sender of a packet that is longer than `room`, if it is one that
   * may not be cut on its way.
   *
   * @param at Of the packet, with an Ethernet header if it has one
   * @param room Bytes that the packet may have, that header included
   * @returns Whether it is to be dropped: others can still be cut
   */
  refuses(
    memory: Uint8Array,
    at: number,
    size: number,
    room: number,
  ): boolean {
    const end = at + size;
    const ip = this.#isTap ? ipAt(memory, at, end) : at;
    // Frames for many: a bit of the first byte of the address.
    if (this.#isTap && ((memory[at] ?? 0) & 1) !== 0) return false;
    if (!mayTellTooBig(memory, ip, end)) return false;
    const isV4 = (memory[ip] ?? 0) >>> 4 === 4;
    const least = isV4 ? MIN_IPV4_MTU : MIN_IPV6_MTU;
    const mtu = Math.max(least, room - (ip - at));
    // Nobody makes packets shorter than that: the datagram is cut instead.
    if (end - ip <= mtu) return false;
    if (this.#bucket.take()) {
      const { memory: to, at: answer } = this.#place;
      const bytes = writeTooBig(memory, at, ip, end, mtu, to, answer);
      this.#place.deliver(bytes);
      count(this.#counters, PlaneCounter.TOO_BIG_ANSWERED);
    }
    return true;
  }
}
