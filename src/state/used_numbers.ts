// File of the sequence numbers used in one space: by sender id the first number
// that was not used.
import { SEQ_RANGE } from "../satp/header.ts";
import type { TextSeal } from "./sealed_text.ts";

/** Enough for all sender ids. */
export const MAX_NUMBERS_BYTES = 2 << 20;

const KIND = "anytun-numbers 1";
const MAX_SENDER_ID = 0xffff;

/** By sender id; one that is missing was never used. */
export type UsedNumbers = ReadonlyMap<number, number>;

export function formatNumbers(
  seal: TextSeal,
  space: string,
  used: UsedNumbers,
): Uint8Array<ArrayBuffer> {
  const lines = [...used].sort(([a], [b]) => a - b)
    .map(([senderId, next]) => `${senderId} ${next}`);
  return seal.seal(KIND, [`space ${space}`, ...lines]);
}

/** @throws {Error} unless it is the whole file of this space */
export function parseNumbers(
  seal: TextSeal,
  space: string,
  bytes: Uint8Array,
): UsedNumbers {
  const [head, ...lines] = seal.open(KIND, bytes);
  if (head !== `space ${space}`) throw new Error("it is of another key");
  const used = new Map<number, number>();
  let last = -1;
  for (const line of lines) {
    const [, id, next] = /^(\d{1,5}) (\d{1,10})$/.exec(line) ?? [];
    const [senderId, number] = [Number(id ?? NaN), Number(next ?? NaN)];
    const isRight = senderId > last && senderId <= MAX_SENDER_ID &&
      number <= SEQ_RANGE;
    if (!isRight) throw new Error(`it has the line '${line}'`);
    used.set(senderId, number);
    last = senderId;
  }
  return used;
}
