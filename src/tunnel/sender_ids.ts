// Sender ids of one run. A key stream depends on the sender id: with another
// one for each start none is used again, although the numbers begin at 0.
import { MAX_SENDER_IDS } from "./numbers.ts";
import type { SenderIdRange } from "./settings.ts";

export type RandomFill = (words: Uint32Array<ArrayBuffer>) => void;

/** Up to 256 distinct ids of a range, in random order. */
export function chooseSenderIds(
  { first, last }: SenderIdRange,
  random: RandomFill,
): number[] {
  const ids = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const wanted = Math.min(ids.length, MAX_SENDER_IDS);
  const words = new Uint32Array(wanted);
  random(words);
  // The first steps of a Fisher-Yates shuffle; 32 bits for at most 65536 ids.
  words.forEach((word, k) => {
    const other = k + word % (ids.length - k);
    const id = ids[other] ?? first;
    ids[other] = ids[k] ?? first;
    ids[k] = id;
  });
  return ids.slice(0, wanted);
}
