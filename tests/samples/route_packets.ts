/**
 * Packets for the routing table.
 *
 * @module
 */
import { ipAddress } from "./routes.ts";

/** Where a packet lies. */
export interface PlacedPacket {
  readonly memory: Uint8Array;
  readonly at: number;
  readonly size: number;
}

/** An IP header with this destination, not at the start of its memory. */
export function packetTo(destination: string): PlacedPacket {
  const { family, bytes } = ipAddress(destination);
  const at = 3;
  const size = family === 4 ? 20 : 40;
  const memory = new Uint8Array(at + size).fill(0xee);
  memory[at] = family << 4 | 5;
  memory.set(bytes, at + size - bytes.length);
  return { memory, at, size };
}
