// File of the sender ids that were ever used, with whatever key, in the order
// in which they were taken.
import type { TextSeal } from "./sealed_text.ts";

export const MAX_IDS_BYTES = 1 << 20;

const KIND = "anytun-sender-ids 1";
const SENDER_IDS = 0x10000;

/** Those taken last at the end. */
export type TakenIds = ReadonlySet<number>;

export function formatIds(
  seal: TextSeal,
  taken: TakenIds,
): Uint8Array<ArrayBuffer> {
  return seal.seal(KIND, [...taken].map(String));
}

/** @throws {Error} unless it is the whole file */
export function parseIds(seal: TextSeal, bytes: Uint8Array): TakenIds {
  const taken = new Set<number>();
  for (const line of seal.open(KIND, bytes)) {
    const id = /^\d{1,5}$/.test(line) ? Number(line) : NaN;
    if (!(id < SENDER_IDS) || taken.has(id)) {
      throw new Error(`it has the line '${line}'`);
    }
    taken.add(id);
  }
  return taken;
}

/** What is to be assumed where nobody knows. */
export function allIds(): TakenIds {
  return new Set(Array.from({ length: SENDER_IDS }, (_, id) => id));
}

/** As they are after these were taken. */
export function withTaken(
  taken: TakenIds,
  ids: readonly number[],
): TakenIds {
  const others = taken.difference(new Set(ids));
  return new Set([...others, ...ids]);
}
