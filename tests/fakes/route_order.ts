/**
 * What a test and the thread that reads a routing table tell each other.
 *
 * @module
 */

/** Places in the memory that both see. */
export const ReaderPlace = { STOP: 0, CHANGES: 1, WRONG: 2 } as const;

/** What the reader is sent. */
export interface ReaderOrder {
  readonly table: SharedArrayBuffer;
  readonly places: SharedArrayBuffer;
  /** The four bytes of the destination. */
  readonly destination: Uint8Array;
  /** Every mux that a look-up may give. */
  readonly muxes: readonly number[];
}
