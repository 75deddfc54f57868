// Streams of bytes in both directions, whatever carries them, and what accepts
// them.
import type { Place } from "./place.ts";

export interface DuplexStream {
  /**
   * Reads at least one byte.
   * @returns The number of bytes, or null at the end
   * @throws if the connection is broken or closed
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes at least one byte.
   * @returns The number of bytes
   * @throws if the connection is broken or closed
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends pending reads and writes as well; may be called again. */
  close(): void;
}

/** One that somebody else has begun. */
export interface PeerStream extends DuplexStream {
  /** For a unix socket, the one that it came through. */
  readonly remote: Place;
  /** The user at the other end, where that is known: one of this host. */
  readonly uid?: number | undefined;
}

export interface StreamListener<S extends PeerStream = PeerStream> {
  /** @throws if the listener is closed, or the system is out of resources */
  accept(): Promise<S>;
  close(): void;
}

/** @throws if the connection is broken or closed */
export async function writeAll(
  stream: DuplexStream,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}
