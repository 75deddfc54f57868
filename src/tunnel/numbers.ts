/**
 * The numbers that a connection counts its datagrams by: 40 bits. The lower 32
 * are the sequence number on the wire; the upper 8 say which sender id of a
 * list goes with it, its generation. Where the sequence number of the originals
 * wraps and uses the key stream of 2^32 datagrams again, here the next sender
 * id makes a new one.
 *
 * @module
 */

/** How many sequence numbers there are. */
export const SEQ_RANGE = 2 ** 32;

/** How many generations 8 bits tell apart. */
export const MAX_SENDER_IDS = 256;

/** No number: another connection counts for this one. */
export const PARKED = MAX_SENDER_IDS * SEQ_RANGE - 1;

/** Instead of a number: the keys are others by now. */
export const STALE = -1;

/** Instead of a number: there is none left. */
export const SPENT = -2;

/**
 * How far ahead of the own sequence number that of another member may be: what
 * is further ahead is more likely behind, or a mistake.
 */
const MAX_LEAP = 2 ** 31;

/** The sequence number on the wire that goes with a number. */
export function wireSeq(number: number): number {
  return number === PARKED ? 0 : number % SEQ_RANGE;
}

/** Whether a sequence number of another member is too far ahead of a number. */
export function isTooFarAhead(number: number, seq: number): boolean {
  return seq - number % SEQ_RANGE > MAX_LEAP;
}

/** The number, or that with this sequence number if it is higher. */
export function raisedTo(number: number, seq: number): number {
  const raised = number - number % SEQ_RANGE + seq;
  return Math.max(number, Math.min(raised, PARKED - 1));
}

/** The sender ids of a daemon, one for each generation. */
export class SenderIds {
  /** One more than the highest number that may be used. */
  readonly limit: number;
  /** From here on half of the last generation is used. */
  readonly lowAt: number;
  readonly #ids: readonly number[];

  /**
   * @param ids Distinct numbers of 16 bits, 1 to {@link MAX_SENDER_IDS} of them
   * @throws {RangeError} if there are more, or none
   */
  constructor(ids: readonly number[]) {
    if (ids.length < 1 || ids.length > MAX_SENDER_IDS) {
      throw new RangeError(
        `Cannot count with ${ids.length} sender ids: it must be 1 to ${MAX_SENDER_IDS}`,
      );
    }
    this.#ids = ids;
    this.limit = Math.min(ids.length * SEQ_RANGE, PARKED - 1);
    this.lowAt = (ids.length - 1) * SEQ_RANGE + SEQ_RANGE / 2;
  }

  /** The sender id of a generation; of those behind the last one the last. */
  of(generation: number): number {
    return this.#ids[generation] ?? this.last;
  }

  /** The sender id of the last generation. */
  get last(): number {
    return this.#ids.at(-1) ?? 0;
  }
}
