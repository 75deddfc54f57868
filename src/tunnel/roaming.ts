// Roaming (SATP section 7). With window 0 a recording is authentic, so that an
// address alone proves little: what counts are sequence numbers that advance,
// and who has shown them.
import {
  copySockaddr,
  sameSockaddr,
  SOCKADDR_WORDS,
} from "../../ffi/net/sockaddr.ts";

/**
 * After this time without an advancing datagram from the known endpoint, in
 * milliseconds, any authentic datagram may move it: a peer that was restarted
 * at another address counts from 0 again and must be found.
 */
export const ENDPOINT_SILENCE_MS = 5000;

/** So many numbers behind the newest a datagram is late rather than old. */
const LATE_NUMBERS = 64;

/** An authentic datagram that is no replay. */
export interface Heard {
  readonly senderId: number;
  readonly seq: number;
  /** The highest number of this sender so far, this one included. */
  readonly highest: number;
  /** Whether that is this number, and was not before. */
  readonly isNewest: boolean;
  readonly now: number;
}

/** An endpoint and the numbers that have come from there. */
class Claim {
  /** The first word is 0 while there is none. */
  readonly endpoint = new Uint32Array(SOCKADDR_WORDS);
  /** Of the sender that brought it about. */
  #senderId = -1;
  #highest = 0;
  /** When a number last advanced, in ms. */
  heardAt = -Infinity;

  get isNone(): boolean {
    return this.endpoint[0] === 0;
  }

  isOf(source: Uint32Array, at: number): boolean {
    return !this.isNone && sameSockaddr(this.endpoint, 0, source, at);
  }

  /** Whether the number is higher than all that came from here before. */
  advances({ senderId, seq }: Heard): boolean {
    const is = senderId === this.#senderId && ((seq - this.#highest) | 0) > 0;
    if (is) this.#highest = seq;
    return is;
  }

  countFrom({ senderId, seq }: Heard): void {
    this.#senderId = senderId;
    this.#highest = seq;
  }

  copy(other: Claim): void {
    copySockaddr(other.endpoint, 0, this.endpoint, 0);
    this.#senderId = other.#senderId;
    this.#highest = other.#highest;
    this.heardAt = other.heardAt;
  }

  clear(): void {
    this.endpoint[0] = 0;
    this.#senderId = -1;
  }
}

export class EndpointTenure {
  readonly #present = new Claim();
  /** The last one that was, while the present one is not. */
  readonly #proven = new Claim();
  /** The one that the former one was moved from, when it came back. */
  readonly #rival = new Claim();
  #movedByNumber = false;

  /** The endpoint was set by somebody else than the peer's datagrams. */
  assign(): void {
    const { heardAt } = this.#present;
    for (const one of [this.#present, this.#proven, this.#rival]) one.clear();
    this.#present.heardAt = heardAt;
  }

  /**
   * Takes note of an authentic datagram from the endpoint itself. Only one that
   * advances is a sign of life, and proves an endpoint that was moved to: the
   * others may be recordings.
   */
  hear(heard: Heard): void {
    if (this.#present.advances(heard) || heard.isNewest) {
      this.#prove(heard.now);
    }
  }

  /** Whether an authentic datagram from elsewhere moves the connection there. */
  yields(
    endpoint: Uint32Array,
    source: Uint32Array,
    at: number,
    heard: Heard,
  ): boolean {
    copySockaddr(endpoint, 0, this.#present.endpoint, 0);
    if (this.#rival.isOf(source, at) && this.#rival.advances(heard)) {
      this.#present.copy(this.#rival);
      this.#prove(heard.now);
    } else if (this.#comesBack(source, at, heard)) this.#giveBack(heard);
    else if (this.#mayMove(heard)) this.#move(source, at, heard);
    else return false;
    return true;
  }

  #comesBack(source: Uint32Array, at: number, heard: Heard): boolean {
    return this.#proven.isOf(source, at) &&
      !(this.#movedByNumber && isLate(heard));
  }

  #mayMove({ isNewest, now }: Heard): boolean {
    const { isNone, heardAt } = this.#present;
    return isNone || isNewest || now - heardAt >= ENDPOINT_SILENCE_MS;
  }

  // A return by a recording is no sign of life: who was moved to, and is the
  // peer, proves it with its next number, however often the recording is sent.
  #giveBack(heard: Heard): void {
    const isAlive = this.#proven.advances(heard) || heard.isNewest;
    this.#rival.copy(this.#present);
    this.#present.copy(this.#proven);
    this.#present.countFrom(heard);
    this.#proven.clear();
    if (isAlive) this.#present.heardAt = heard.now;
  }

  #move(source: Uint32Array, at: number, heard: Heard): void {
    if (this.#proven.isNone) this.#proven.copy(this.#present);
    this.#movedByNumber = heard.isNewest;
    copySockaddr(source, at, this.#present.endpoint, 0);
    this.#present.countFrom(heard);
    this.#present.heardAt = heard.now;
  }

  #prove(now: number): void {
    this.#present.heardAt = now;
    this.#proven.clear();
    this.#rival.clear();
  }
}

/** A datagram that another one has overtaken on its way proves nothing. */
function isLate({ seq, highest }: Heard): boolean {
  const behind = (highest - seq) >>> 0;
  return behind > 0 && behind <= LATE_NUMBERS;
}
