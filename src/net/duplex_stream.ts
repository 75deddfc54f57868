// Streams of bytes in both directions, whatever carries them.

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

/** @throws if the connection is broken or closed */
export async function writeAll(
  stream: DuplexStream,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}
