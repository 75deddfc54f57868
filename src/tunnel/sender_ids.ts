// Sender ids of one run. A key stream depends on the sender id: with another
// one for each start none is used again, although the numbers begin at 0.
import { MAX_SENDER_IDS, type SenderIdRange } from "./settings.ts";

export type RandomFill = (words: Uint32Array<ArrayBuffer>) => void;

/**
 * Of senders that take numbers from one word the sender ids of each generation:
 * the first one of each sender, then the second ones, and so on.
 */
export function idsByGeneration(
  ids: readonly number[],
  senders: number,
): readonly (readonly number[])[] {
  const generations = Math.floor(ids.length / senders);
  return Array.from(
    { length: generations },
    (_, k) => ids.slice(k * senders, (k + 1) * senders),
  );
}

/**
 * Up to 256 distinct ids of a range: in random order those that were never
 * taken, and where there are too few those that were, as they come.
 */
export function chooseSenderIds(
  { first, last }: SenderIdRange,
  random: RandomFill,
  taken: ReadonlySet<number> = new Set(),
): number[] {
  const all = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const ids = all.filter((id) => !taken.has(id));
  const chosen = shuffled(ids, Math.min(ids.length, MAX_SENDER_IDS), random);
  const old = [...taken].filter((id) => id >= first && id <= last);
  return [...chosen, ...old].slice(0, MAX_SENDER_IDS);
}

function shuffled(
  ids: number[],
  wanted: number,
  random: RandomFill,
): readonly number[] {
  const words = new Uint32Array(wanted);
  random(words);
  // The first steps of a Fisher-Yates shuffle; 32 bits for at most 65536 ids.
  words.forEach((word, k) => {
    const other = k + word % (ids.length - k);
    const id = ids[other] ?? 0;
    ids[other] = ids[k] ?? 0;
    ids[k] = id;
  });
  return ids.slice(0, wanted);
}
