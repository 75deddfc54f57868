/**
 * What the data plane counts. Counters are doubles in memory that the threads
 * share: each has one writer, whole numbers stay exact up to 2^53, and a
 * reader never sees half of one.
 *
 * @module
 */

/** Counters of a connection: index into its array. */
export const ConnectionCounter = {
  PACKETS_OUT: 0,
  BYTES_OUT: 1,
  SEND_FAILED: 2,
  PACKETS_IN: 3,
  BYTES_IN: 4,
  WRONG_TAG: 5,
  REPLAYED: 6,
  NO_PAYLOAD: 7,
  WRONG_PAYLOAD_TYPE: 8,
  /** Datagrams that found the socket full. */
  SEND_DROPPED: 9,
} as const;

/** How many counters a connection has. */
export const CONNECTION_COUNTERS = 10;

/** Counters of what belongs to no connection: index into the plane's array. */
export const PlaneCounter = {
  /** Device packets without connection or endpoint. */
  NOWHERE_TO_SEND: 0,
  /** Device packets too long for a peer's buffer. */
  TOO_LONG_OUT: 1,
  /** Device packets that are neither IPv4 nor IPv6, or are malformed. */
  MALFORMED_OUT: 2,
  /** Datagrams too short for header and tag. */
  TOO_SHORT_IN: 3,
  /** Datagrams longer than any peer sends. */
  TOO_LONG_IN: 4,
  /** Datagrams of a mux that has no connection. */
  UNKNOWN_MUX: 5,
  /** Packets that the device did not take. */
  DEVICE_REFUSED: 6,
  /** Packets of batches that were given up because of an error of ours. */
  INTERNAL_ERROR: 7,
  /** Device packets for a connection that has used all its numbers. */
  OUT_OF_NUMBERS: 8,
} as const;

/** How many counters a plane has. */
export const PLANE_COUNTERS = 9;

/** Adds to one counter. */
export function count(
  counters: Float64Array,
  index: number,
  amount: number = 1,
): void {
  counters[index] = (counters[index] ?? 0) + amount;
}
