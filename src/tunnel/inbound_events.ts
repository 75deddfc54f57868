/**
 * Who else wants to know of a peer that has moved.
 *
 * @module
 */
import type { InboundEvents } from "./inbound.ts";

/**
 * Events for two: the log, and whoever passes on where peers are.
 *
 * @param moved Called with the mux of the connection
 */
export function withMoves(
  log: InboundEvents,
  moved: (mux: number) => void,
): InboundEvents {
  return {
    wrongTag: (connection) => log.wrongTag(connection),
    replay: (connection, seq, senderId) =>
      log.replay(connection, seq, senderId),
    endpointChanged(connection, first) {
      log.endpointChanged(connection, first);
      moved(connection.mux);
    },
    batchFailed: (error) => log.batchFailed(error),
  };
}
