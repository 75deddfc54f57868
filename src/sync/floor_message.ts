// Message between members of what each of them has accepted: replay floors.
import { packed, unpacked } from "./packed.ts";
import { SyncError } from "./error.ts";

/** What such a message is called. */
export const FLOORS = "floors";

/** How far a sender of a connection has come under one set of keys. */
export interface ToldFloor {
  readonly mux: number;
  /** 32 bits of a hash of the keys, which all who have them can tell. */
  readonly print: number;
  readonly senderId: number;
  /** All numbers up to this one count as accepted. */
  readonly highest: number;
}

const ENTRY_BYTES = 12;

/** In one message. */
export const MOST_FLOORS = 4096;

/** @param floors No more than {@link MOST_FLOORS} */
export function formatFloors(floors: readonly ToldFloor[]): string {
  const bytes = new Uint8Array(floors.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  floors.forEach(({ mux, print, senderId, highest }, k) => {
    view.setUint16(k * ENTRY_BYTES, mux);
    view.setUint16(k * ENTRY_BYTES + 2, senderId);
    view.setUint32(k * ENTRY_BYTES + 4, print);
    view.setUint32(k * ENTRY_BYTES + 8, highest);
  });
  return packed(bytes);
}

/** @throws {SyncError} if it is not a list of them */
export function parseFloors(body: string): ToldFloor[] {
  const bytes = unpacked(body, MOST_FLOORS * ENTRY_BYTES);
  if (bytes === undefined || bytes.length % ENTRY_BYTES !== 0) {
    throw new SyncError("input stream error", "Cannot read replay floors");
  }
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, k) => ({
    mux: view.getUint16(k * ENTRY_BYTES),
    senderId: view.getUint16(k * ENTRY_BYTES + 2),
    print: view.getUint32(k * ENTRY_BYTES + 4),
    highest: view.getUint32(k * ENTRY_BYTES + 8),
  }));
}
