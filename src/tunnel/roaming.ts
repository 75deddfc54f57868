/**
 * Whether a peer has moved (SATP section 7). With window 0 an old datagram that
 * somebody sends again is authentic, so that an address alone proves little:
 * what counts are sequence numbers that advance, and who has shown them.
 *
 * @module
 */
import {
  copyEndpoint,
  ENDPOINT_WORDS,
  sameEndpoint,
} from "./endpoint_words.ts";

/**
 * After this time without an advancing datagram from the known endpoint, in
 * milliseconds, any authentic datagram may move it: a peer that was restarted
 * at another address counts from 0 again and must be found.
 */
export const ENDPOINT_SILENCE_MS = 5000;

/** So many numbers behind the newest a datagram is late rather than old. */
const LATE_NUMBERS = 64;

/** An authentic datagram as far as it says where its sender is. */
export interface Heard {
  readonly senderId: number;
  readonly seq: number;
  /** The highest number of this sender so far, this one included. */
  readonly highest: number;
  /** Whether that is this number, and was not before. */
  readonly isNewest: boolean;
  /** When it came, in milliseconds. */
  readonly now: number;
}

/** The known endpoint of a connection: how it came about, and what it showed. */
export class EndpointTenure {
  /** The last proven endpoint while this one is not; the first word 0 if it is. */
  readonly #former = new Uint32Array(ENDPOINT_WORDS);
  #movedByNumber = false;
  #heardAt = -Infinity;
  /** The sender that brought it about, and the highest number from here. */
  #senderId = -1;
  #highest = 0;

  /** The endpoint was set by somebody else than the peer's datagrams. */
  assign(): void {
    this.#former[0] = 0;
    this.#senderId = -1;
  }

  /**
   * Takes note of an authentic datagram from the endpoint itself. Only one that
   * advances is a sign of life, and proves an endpoint that was moved to: the
   * others may be recordings.
   */
  hear({ senderId, seq, isNewest, now }: Heard): void {
    const isFurther = senderId === this.#senderId &&
      ((seq - this.#highest) | 0) > 0;
    if (isFurther) this.#highest = seq;
    if (!isNewest && !isFurther) return;
    this.#heardAt = now;
    this.#former[0] = 0;
  }

  /**
   * Whether an authentic datagram from another endpoint moves the connection
   * there; if so the new tenure has begun.
   *
   * @param endpoint The words of the known endpoint
   * @param source Words of the other endpoint, at `at`
   */
  yields(
    endpoint: Uint32Array,
    source: Uint32Array,
    at: number,
    { senderId, seq, highest, isNewest, now }: Heard,
  ): boolean {
    const isFirst = endpoint[0] === 0;
    const isReturn = this.#former[0] !== 0 &&
      sameEndpoint(this.#former, 0, source, at) &&
      !(this.#movedByNumber && isLate(seq, highest));
    const isSilent = now - this.#heardAt >= ENDPOINT_SILENCE_MS;
    if (!isFirst && !isReturn && !isNewest && !isSilent) return false;
    if (isReturn) this.#former[0] = 0;
    else if (this.#former[0] === 0) copyEndpoint(endpoint, 0, this.#former, 0);
    this.#movedByNumber = isNewest;
    this.#heardAt = now;
    this.#senderId = senderId;
    this.#highest = seq;
    return true;
  }
}

/** A datagram that another one has overtaken on its way proves nothing. */
function isLate(seq: number, highest: number): boolean {
  const behind = (highest - seq) >>> 0;
  return behind > 0 && behind <= LATE_NUMBERS;
}
