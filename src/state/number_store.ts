// Place where it is kept which numbers are used, as whoever gives them out sees
// it. A number is 2^32 times its generation and a sequence number; a space has
// those that make one key stream each.

/** How many numbers are to be kept as used, from where on. */
export interface NumberRequest {
  readonly space: string;
  readonly from: number;
  readonly count: number;
}

export interface NumberRange {
  readonly first: number;
  /** Behind the last one. No more than `first` where all are used. */
  readonly end: number;
}

/** Of a range that was reserved, what is not used. */
export interface UnusedNumbers {
  readonly space: string;
  readonly next: number;
  readonly end: number;
}

export interface NumberStore {
  /** The first number that was not used, as far as is known. */
  firstUnused(space: string): number;
  /**
   * Numbers that nobody has had and nobody else will get, at or above `from`.
   * @returns undefined where it cannot be kept that they are used
   */
  reserve(
    requests: readonly NumberRequest[],
  ): readonly (NumberRange | undefined)[];
  /**
   * Gives back what was reserved and not used.
   * @returns Whether it is kept how far each space was used. If not, a part of
   * it may be: what is unused is to be reserved anew
   */
  settle(unused: readonly UnusedNumbers[]): boolean;
  /** Keeps nothing more of spaces that never come back. */
  forget(spaces: readonly string[]): void;
}

/**
 * The first block, and the smallest: two seconds at a million packets a second,
 * and what a kill costs of 2^32.
 */
export const BLOCK = 2 ** 21;
