/** Floods of datagrams that a tunnel has to refuse. */
import { address, HEADER_BYTES, type Station } from "./frames.ts";

/** What the datagrams of a flood are. */
export const FLOOD_KINDS = [
  "random bytes",
  "wrong tag",
  "recordings",
  "another connection",
  "tiny",
] as const;

export type FloodKind = typeof FLOOD_KINDS[number];

/** Whose datagrams are imitated. */
export type Protocol = "satp" | "wireguard";

/** What is sent, from where, and how fast. */
export interface FloodOrder {
  readonly kind: FloodKind;
  readonly protocol: Protocol;
  readonly from: Station;
  readonly to: Station;
  readonly perSecond: number;
  /** Ends the flood; without end where it is not there. */
  readonly count?: number;
}

/** Bytes of a datagram of random bytes. */
const RANDOM_BYTES = 1000;

/** The shortest datagram of SATP has 18 bytes (SATP section 1). */
const TINY_BYTES = 17;

const POOL_BYTES = 1 << 16;

/** Where a protocol has its numbers. */
const LAYOUT = {
  /** SATP section 1. */
  satp: { number: 0, littleEndian: false, connection: 6 },
  /** The WireGuard paper, section 5.4.6: a message of transport data. */
  wireguard: { number: 8, littleEndian: true, connection: 4 },
} as const;

/** One flood. */
export class Flood {
  readonly #order: FloodOrder;
  readonly #recorded: readonly Uint8Array[];
  readonly #frame = new Uint8Array(HEADER_BYTES + 2048);
  readonly #pool = new Uint8Array(POOL_BYTES);
  #sent = 0;
  #addressed = -1;

  /** @param recorded Real datagrams, which forged ones are made of. */
  constructor(order: FloodOrder, recorded: readonly Uint8Array[]) {
    this.#order = order;
    this.#recorded = recorded;
    crypto.getRandomValues(this.#pool);
  }

  /** How many were made. */
  get sent(): number {
    return this.#sent;
  }

  /** How many are due, if so many seconds are over. */
  dueAfter(seconds: number): number {
    const { perSecond, count = Infinity } = this.#order;
    const due = Math.min(count, Math.floor(seconds * perSecond));
    // What could not be sent in time is not made up for without end.
    return Math.min(due - this.#sent, perSecond / 50);
  }

  /** The next frame; the one before is overwritten. */
  next(): Uint8Array<ArrayBuffer> {
    const { from, to } = this.#order;
    const payload = this.#payload();
    if (this.#addressed !== payload.length) {
      address(this.#frame, from, to, payload.length);
      this.#addressed = payload.length;
    }
    this.#frame.set(payload, HEADER_BYTES);
    this.#spoil(this.#frame.subarray(HEADER_BYTES), payload.length);
    this.#sent++;
    return this.#frame.subarray(0, HEADER_BYTES + payload.length);
  }

  #payload(): Uint8Array {
    const { kind } = this.#order;
    if (kind === "random bytes") return this.#random(RANDOM_BYTES);
    if (kind === "tiny") return this.#random(this.#sent % TINY_BYTES + 1);
    const one = this.#recorded[this.#sent % this.#recorded.length];
    if (one === undefined) throw new Error("Cannot forge: nothing recorded");
    return one;
  }

  #random(size: number): Uint8Array {
    const at = this.#sent * 4099 % (POOL_BYTES - size);
    return this.#pool.subarray(at, at + size);
  }

  #spoil(payload: Uint8Array, size: number): void {
    const { kind, protocol } = this.#order;
    const { buffer, byteOffset } = payload;
    const view = new DataView(buffer, byteOffset, size);
    const { number, littleEndian, connection } = LAYOUT[protocol];
    if (kind === "wrong tag") {
      // A number that is still to come: none is refused for its age.
      const last = view.getUint32(number, littleEndian);
      view.setUint32(number, last + 100_000 + this.#sent, littleEndian);
      view.setUint8(size - 1, view.getUint8(size - 1) ^ 1);
    } else if (kind === "another connection") {
      view.setUint16(connection, view.getUint16(connection) ^ 0x5555);
    }
  }
}
