/**
 * Counters as log lines.
 *
 * @module
 */
import { ConnectionCounter, PlaneCounter } from "../tunnel/counters.ts";

const CONNECTION_TEXTS: ReadonlyArray<
  readonly [counter: number, text: string]
> = [
  [ConnectionCounter.PACKETS_OUT, "packets out"],
  [ConnectionCounter.BYTES_OUT, "bytes out"],
  [ConnectionCounter.PACKETS_IN, "packets in"],
  [ConnectionCounter.BYTES_IN, "bytes in"],
  [ConnectionCounter.SEND_FAILED, "not sent"],
  [ConnectionCounter.SEND_DROPPED, "dropped before a full uplink"],
  [ConnectionCounter.WRONG_TAG, "with a wrong tag"],
  [ConnectionCounter.REPLAYED, "replayed"],
  [ConnectionCounter.NO_PAYLOAD, "without payload"],
  [ConnectionCounter.WRONG_PAYLOAD_TYPE, "of a wrong type"],
];

const PLANE_TEXTS: ReadonlyArray<readonly [counter: number, text: string]> = [
  [PlaneCounter.NOWHERE_TO_SEND, "with nowhere to send them"],
  [PlaneCounter.TOO_LONG_OUT, "too long to send"],
  [PlaneCounter.MALFORMED_OUT, "malformed on the device"],
  [PlaneCounter.TOO_SHORT_IN, "too short"],
  [PlaneCounter.TOO_LONG_IN, "too long"],
  [PlaneCounter.UNKNOWN_MUX, "of an unknown mux"],
  [PlaneCounter.DEVICE_REFUSED, "refused by the device"],
  [PlaneCounter.INTERNAL_ERROR, "lost to internal errors"],
  [PlaneCounter.OUT_OF_NUMBERS, "for want of sequence numbers"],
];

/** One line about the connection with this mux. */
export function connectionText(mux: number, counters: Float64Array): string {
  return `connection ${mux}: ${texts(CONNECTION_TEXTS, counters)}`;
}

/** One line about what belongs to no connection. */
export function planeText(counters: Float64Array): string {
  return `dropped: ${texts(PLANE_TEXTS, counters)}`;
}

function texts(
  names: ReadonlyArray<readonly [counter: number, text: string]>,
  counters: Float64Array,
): string {
  return names
    .map(([counter, text]) => `${counters[counter] ?? 0} ${text}`)
    .join(", ");
}
